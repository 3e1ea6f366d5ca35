// node winston.mjs URL json|protobuf: three lines through winston-loki.
import { createLogger, format } from 'winston'
import LokiTransport from 'winston-loki'

const [host, mode] = process.argv.slice(2)
const transport = new LokiTransport({
  host,
  json: mode === 'json',
  interval: 0.1,
  labels: { app: `winston-${mode}` },
  format: format.json(),
  replaceTimestamp: true,
  onConnectionError: (error) => {
    console.error(String(error))
    process.exit(1)
  },
})
const logger = createLogger({ level: 'debug', transports: [transport] })
logger.info('started', { port: 3000 })
logger.warn({ message: 'slow', labels: { route: 'orders' } })
logger.error('broken ü')
await transport.flush()
process.exit(0)

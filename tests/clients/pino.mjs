// node pino.mjs URL: three lines through pino-loki, from its worker thread.
import pino from 'pino'

const [host] = process.argv.slice(2)
const transport = pino.transport({
  target: 'pino-loki',
  options: {
    host,
    labels: { app: 'pino' },
    propsToLabels: ['route'],
    structuredMetaKey: 'meta',
    batching: { interval: 1 },
  },
})
const logger = pino({ level: 'debug' }, transport)
logger.info({ port: 3000 }, 'started')
logger.warn({ route: 'orders' }, 'slow')
logger.error({ meta: { trace_id: 'abc' } }, 'broken ü')
transport.end()

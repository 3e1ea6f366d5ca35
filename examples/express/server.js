// An Express back end as the decision record describes it: prom-client for metrics, winston for JSON logs.
// Usage: PORT=3000 LOGS=../../logs node server.js
'use strict';

const path = require('node:path');
const { randomUUID } = require('node:crypto');
const express = require('express');
const client = require('prom-client');
const winston = require('winston');

const port = Number(process.env.PORT || 3000);
const logs = process.env.LOGS || 'logs';

client.collectDefaultMetrics();
const labelNames = ['method', 'endpoint', 'status'];
const duration = new client.Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time until the answer was sent, in seconds.',
  labelNames,
});
const requests = new client.Counter({ name: 'http_requests_total', help: 'HTTP requests answered.', labelNames });
const errors = new client.Counter({ name: 'http_request_errors_total', help: 'HTTP requests that failed.', labelNames });
const tenantRequests = new client.Counter({
  name: 'clientforge_tenant_requests_total',
  help: 'Total requests per tenant',
  labelNames: ['tenantId', 'endpoint'],
});

const logger = winston.createLogger({
  level: 'info',
  format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
  transports: [
    new winston.transports.File({ filename: path.join(logs, 'error.log'), level: 'error' }),
    new winston.transports.File({ filename: path.join(logs, 'combined.log') }),
  ],
});

const app = express();
app.disable('x-powered-by');
app.use(express.json());

app.get('/metrics', async (_request, response) => {
  response.set('Content-Type', client.register.contentType);
  response.end(await client.register.metrics());
});

app.use((request, response, next) => {
  const started = process.hrtime.bigint();
  const requestId = randomUUID();
  response.on('finish', () => {
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const endpoint = request.route ? request.baseUrl + request.route.path : '<unmatched>';
    const labels = { method: request.method, endpoint, status: String(response.statusCode) };
    const tenantId = request.get('x-tenant-id') || '';
    requests.inc(labels);
    duration.observe(labels, seconds);
    tenantRequests.inc({ tenantId, endpoint });
    const failed = response.statusCode >= 500;
    if (failed) errors.inc(labels);
    const message = `${failed ? 'ERROR ' : ''}${request.method} ${request.path} ${response.statusCode}`;
    logger.log(failed ? 'error' : 'info', message, {
      tenantId, method: request.method, path: request.path, statusCode: response.statusCode,
      duration: Math.round(seconds * 1e6) / 1000, requestId,
    });
  });
  next();
});

const contacts = new Map();
app.get('/api/v1/health', (_request, response) => response.json({ status: 'ok' }));
app.get('/api/v1/contacts', (_request, response) => response.json([...contacts.values()].slice(-20)));
app.post('/api/v1/contacts', (request, response) => {
  const contact = { ...request.body, id: contacts.size + 1 };
  contacts.set(String(contact.id), contact);
  response.status(201).json(contact);
});
app.get('/api/v1/contacts/:id', (request, response) => {
  const contact = contacts.get(request.params.id);
  if (contact) response.json(contact);
  else response.status(404).json({ error: 'not found' });
});
app.post('/api/v1/deals/:id/close', () => {
  throw new Error('payment provider did not answer');
});
app.use((error, _request, response, _next) => response.status(500).json({ error: error.message }));

const server = app.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${port}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));

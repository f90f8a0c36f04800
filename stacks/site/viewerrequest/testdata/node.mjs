// Runs the function's code in Node.js: reads {code, base, requests: [{host, uri, query}]} and writes, for each
// request, what the function made of it and to which host a Location leads.
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';

const { code, base, requests } = JSON.parse(readFileSync(0, 'utf8'));
const handler = runInNewContext(`'use strict'; ${code}; handler`);
const results = requests.map(({ host, uri, query }) => {
  const headers = host ? { host: { value: host } } : {};
  const request = { method: 'GET', uri, querystring: {}, headers, cookies: {} };
  Object.defineProperty(request, 'rawQueryString', { value: () => query ?? undefined });
  const result = handler({ version: '1.0', request });
  if (!result.statusCode) {
    return { uri: result.uri };
  }
  const location = result.headers?.location.value;
  return { status: result.statusCode, location, leadsTo: location && new URL(location, base).host };
});
process.stdout.write(JSON.stringify(results));

// SPDX-License-Identifier: Apache-2.0
//
// A SAML 2.0 identity provider (npm samlp, Auth0's) for the tests to sign in at. Its responses, signatures, encryption and
// metadata are its own; what stands here is what samlp leaves to the application: the sign-in form and who the people are.
//
//     node server.mjs SETTINGS_FILE
//
// SETTINGS_FILE is JSON and is read again for every request (tests/real/node_idp.py writes it): people with their
// attributes, the key that signs, what is signed, and the service providers that are trusted.
// Standard output: one JSON line {"url": ...} when it listens.
//
//     GET  /metadata                       its metadata
//     GET  /sso?SAMLRequest=&RelayState=   sign-in that a service provider asked for (POST too)
//     GET  /start?service_provider=        sign-in that begins here, without a request

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import samlp from 'samlp';

const [, , settingsFile] = process.argv;
const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

let url;

function signInForm(fields) {
  const hidden = Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
    .join('');
  return `<!doctype html><html lang="en"><title>Sign in</title><link rel="icon" href="data:,"><form method="post" action="/sso">${hidden}
    <label>Name <input name="username" autofocus></label> <label>Password <input name="password" type="password"></label>
    <button type="submit">Sign in</button></form></html>`;
}

function Profile(user) {
  return {
    getClaims: () => user.attributes,
    getNameIdentifier: () => ({ nameIdentifier: user.name, nameIdentifierFormat: PERSISTENT }),
  };
}
Profile.prototype.metadata = []; // the claims that its metadata would list

function signInOptions(settings, name, asked) {
  const trusted = settings.service_providers[asked];
  if (trusted === undefined) throw new Error(`not a service provider that this provider knows: ${asked}`);
  const encryption = trusted.encryption_certificate === null
    ? {}
    : { encryptionCert: trusted.encryption_certificate, encryptionPublicKey: trusted.encryption_public_key };
  return {
    issuer: `${url}/metadata`,
    key: settings.key,
    cert: settings.certificate,
    audience: asked,
    recipient: trusted.consumer,
    destination: trusted.consumer,
    signAssertion: settings.sign_assertion,
    signResponse: settings.sign_response,
    sessionIndex: '_1',
    lifetimeInSeconds: 300,
    signatureAlgorithm: `rsa-${settings.digest}`,
    digestAlgorithm: settings.digest,
    getUserFromRequest: () => ({ name, attributes: settings.people[name] }),
    getPostURL: (_audience, _request, _incoming, done) => done(null, trusted.consumer),
    profileMapper: Profile,
    ...encryption,
  };
}

function issuerOfRequest(incoming) {
  return new Promise((resolve, reject) => {
    samlp.parseRequest(incoming, (error, request) => (error ? reject(error) : resolve(request?.issuer)));
  });
}

async function signIn(settings, incoming, outgoing) {
  const fields = { ...incoming.query, ...incoming.body };
  const { username, password } = fields;
  if (username === undefined || password !== settings.password || !(username in settings.people)) {
    delete fields.username;
    delete fields.password;
    outgoing.set('Content-Type', 'text/html; charset=utf-8').send(signInForm(fields));
    return;
  }
  const asked = fields.service_provider ?? (await issuerOfRequest(incoming));
  samlp.auth(signInOptions(settings, username, asked))(incoming, outgoing, (error) => outgoing.fail(error));
}

function metadata(settings, incoming, outgoing) {
  samlp.metadata({
    issuer: `${url}/metadata`,
    cert: settings.certificate,
    profileMapper: Profile,
    redirectEndpointPath: '/sso',
    postEndpointPath: '/sso',
    logoutEndpointPaths: {},
  })(incoming, outgoing);
}

// The few things of express that samlp uses.
async function expressed(incoming, outgoing) {
  const address = new URL(incoming.url, url);
  incoming.protocol = 'http';
  incoming.originalUrl = incoming.url;
  incoming.query = Object.fromEntries(address.searchParams);
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  incoming.body = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
  outgoing.set = (name, value) => {
    outgoing.setHeader(name, value);
    return outgoing;
  };
  outgoing.send = (body) => outgoing.end(body);
  outgoing.fail = (error) => {
    console.error(error);
    outgoing.statusCode = 400;
    outgoing.end(`${error}`);
  };
  return address.pathname;
}

const server = createServer(async (incoming, outgoing) => {
  const path = await expressed(incoming, outgoing);
  try {
    const settings = JSON.parse(readFileSync(settingsFile, 'utf8'));
    if (path === '/metadata') metadata(settings, incoming, outgoing);
    else if (path === '/sso' || path === '/start') await signIn(settings, incoming, outgoing);
    else outgoing.fail(`nothing at ${path}`);
  } catch (error) {
    outgoing.fail(error);
  }
});
server.listen(0, '127.0.0.1', () => {
  url = `http://localhost:${server.address().port}`;
  process.stdout.write(`${JSON.stringify({ url })}\n`);
});

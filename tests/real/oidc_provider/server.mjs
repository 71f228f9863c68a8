// SPDX-License-Identifier: Apache-2.0
//
// A certified OpenID Connect provider (npm oidc-provider) for the tests to sign in at. Nothing of it is replaced: its own
// authorization code flow with PKCE, its own sign-in and consent forms, its own signatures.
//
//     node server.mjs JWKS_FILE
//
// JWKS_FILE holds private keys; SIGHUP reads it again and serves on with what it holds then (the first key of a type signs).
// Standard output: one JSON line {"issuer": ...} when it listens, one {"reloaded": [key ids]} after each SIGHUP.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

console.info = console.error; // its notices: standard output is ours

const { Provider } = await import('oidc-provider');
const [, , jwksFile] = process.argv;
const HOUR = 3600;

function client(clientId, algorithm) {
  return {
    client_id: clientId,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/callback'],
    id_token_signed_response_alg: algorithm,
  };
}

function account(login) {
  const claims = { sub: login, email: `${login}@example.org`, groups: ['developers', 'on-call'] };
  if (login.startsWith('tagged-')) {
    claims['https://aws.amazon.com/tags'] = {
      principal_tags: { Team: ['platform'] },
      transitive_tag_keys: ['Team'],
    };
  }
  return { accountId: login, claims: () => claims };
}

function provider(issuer) {
  const made = new Provider(issuer, {
    jwks: JSON.parse(readFileSync(jwksFile, 'utf8')),
    clients: [client('web-app', 'RS256'), client('ec-app', 'ES256'), client('another-app', 'RS256')],
    claims: { openid: ['sub', 'email', 'groups', 'https://aws.amazon.com/tags'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['only for tests'] },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_ctx, login) => account(login),
    pkce: { required: () => true },
    ttl: { IdToken: HOUR, AccessToken: HOUR, AuthorizationCode: 60, Grant: HOUR, Interaction: HOUR, Session: HOUR },
  });
  return made.callback();
}

let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer);
  process.on('SIGHUP', () => {
    answer = provider(issuer);
    const { keys } = JSON.parse(readFileSync(jwksFile, 'utf8'));
    process.stdout.write(`${JSON.stringify({ reloaded: keys.map((key) => key.kid) })}\n`);
  });
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
});

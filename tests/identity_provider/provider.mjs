// A certified OpenID provider that isn't ours, for tests/journeys/test_installation.py.
// Anybody signs in: their login is their address.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import Provider from "oidc-provider";

const { issuer, clients, key, certificate } = JSON.parse(readFileSync(process.argv[2], "utf8"));

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: true, name: `Person ${id}` }),
  }),
});

createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, provider.callback()).listen(
  Number(new URL(issuer).port),
  "127.0.0.1",
);

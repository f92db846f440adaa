// Azure's JavaScript SDKs for identity and Key Vault, and the `openai` client, against the stand-ins
// and the gateway: nothing of them is changed.
//
// READY names the file that `portcullis dev` wrote: where everything is.

import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";
import { ClientSecretCredential, ManagedIdentityCredential, getBearerTokenProvider } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import OpenAI, { AzureOpenAI } from "openai";

const at = JSON.parse(fs.readFileSync(process.env.READY));
const SCOPE = "https://cognitiveservices.azure.com/.default";
const MESSAGES = [{ role: "user", content: "one two three" }];
const ANSWER = "You said: one two three";

function signIn(secret = at.client_secret) {
  const options = { authorityHost: at.entra, disableInstanceDiscovery: true };
  return new ClientSecretCredential(at.tenant_id, at.client_id, secret, options);
}

function azure(options) {
  return new AzureOpenAI({ apiVersion: "2024-10-21", maxRetries: 0, ...options });
}

async function ask(client) {
  const answer = await client.chat.completions.create({ model: "gpt-4o", messages: MESSAGES });
  return answer.choices[0].message.content;
}

for (const api of ["openai-jwt", "openai-entra"]) {
  test(`a client secret opens ${api}`, async () => {
    const azureADTokenProvider = getBearerTokenProvider(signIn(), SCOPE);
    assert.equal(await ask(azure({ endpoint: `${at.gateway}/${api}`, azureADTokenProvider })), ANSWER);
    const wrong = azure({ endpoint: `${at.gateway}/${api}`, azureADTokenProvider: async () => "x.y.z" });
    await assert.rejects(ask(wrong), { status: 403 });
  });
}

test("a wrong secret is refused as Entra ID refuses it", async () => {
  await assert.rejects(signIn("wrong").getToken(SCOPE), /AADSTS7000215/);
});

test("a subscription key opens the API that wants one, in streams, too", async () => {
  const client = azure({ endpoint: `${at.gateway}/openai-key`, apiKey: at.subscription_key });
  assert.equal(await ask(client), ANSWER);
  const stream = await client.chat.completions.create({ model: "gpt-4o", messages: MESSAGES, stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  assert.equal(text, ANSWER);
  await assert.rejects(ask(azure({ endpoint: `${at.gateway}/openai-key`, apiKey: "wrong" })), { status: 401 });
});

test("the Responses API streams", async () => {
  const client = new OpenAI({ baseURL: `${at.azure_openai}/openai/v1/`, apiKey: at.azure_openai_key });
  const stream = await client.responses.create({ model: "gpt-4o", input: "one two three", stream: true });
  let text = "";
  for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
  assert.equal(text, ANSWER);
});

test("managed identity needs only a variable", async () => {
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = at.imds;
  const { token } = await new ManagedIdentityCredential().getToken(SCOPE);
  const client = azure({ endpoint: at.azure_openai, azureADTokenProvider: async () => token });
  assert.equal(await ask(client), ANSWER);
});

test("a secret is read, written, listed and deleted", async () => {
  const vault = new SecretClient(at.key_vault, signIn(), { disableChallengeResourceVerification: true });
  assert.equal((await vault.getSecret("openai-api-key")).value, at.azure_openai_key);
  const written = await vault.setSecret("fresh-js", "value");
  const read = await vault.getSecret("fresh-js", { version: written.properties.version });
  assert.equal(read.value, "value");
  const names = [];
  for await (const it of vault.listPropertiesOfSecrets()) names.push(it.name);
  assert.ok(names.includes("fresh-js"));
  await (await vault.beginDeleteSecret("fresh-js")).pollUntilDone();
  await assert.rejects(vault.getSecret("fresh-js"), { code: "SecretNotFound" });
});

// A real OpenID provider for tests: node server.mjs PACKAGE PORT CALLBACK
// Anybody may sign in by any name and password; who is in which group stands here.
import { pathToFileURL } from "node:url";

const [folder, port, callback] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${folder}/lib/index.js`));
const groups = { ida: ["lw-viewers", "lw-engineers"], otto: ["others"] };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "linewatch", client_secret: "a-secret-of-the-test", redirect_uris: [callback] }],
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: groups[id] ?? ["lw-viewers"] }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));

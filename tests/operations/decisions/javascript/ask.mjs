// The stock OpenFeature web SDK and OFREP provider: prints each flag's value, and again whenever the provider says that flags changed.
// node ask.mjs BASE_URL KEY SYSTEM FLAG…        ends when standard input does
import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";

const [baseUrl, key, system, ...flags] = process.argv.slice(2);
const client = OpenFeature.getClient();

function tell() {
  const read = (flag) => (flag.startsWith("switch.") ? client.getBooleanDetails(flag, false) : client.getStringDetails(flag, "none"));
  console.log(JSON.stringify(Object.fromEntries(flags.map((flag) => [flag, read(flag)]))));
}

OpenFeature.addHandler(ProviderEvents.ConfigurationChanged, tell);
await OpenFeature.setContext({ targetingKey: "session-7", system, consumer: "web-client", region: "Dublin" });
await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl, pollInterval: 200, headers: [["Authorization", `Bearer ${key}`]] }));
tell();
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

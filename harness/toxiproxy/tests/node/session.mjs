// A session of toxiproxy-node-client, unmodified, against the server at the address given: its own suite's cases, and
// then every public call, each with what the client makes of the answer. Ends with "ok" and how many cases there were.
import assert from "node:assert/strict";
import net from "node:net";
import { once } from "node:events";
import client from "toxiproxy-node-client";

const { Toxiproxy, Proxy, Toxic, ToxiproxyError } = client;
const url = process.argv[2];
const toxiproxy = new Toxiproxy(url);
let cases = 0;

async function test(name, body) {
    for (const proxy of Object.values(await toxiproxy.getAll())) {
        await proxy.remove();
    }
    try {
        await body();
        cases += 1;
    } catch (error) {
        console.error(`not ok: ${name}\n${error.stack}`);
        process.exit(1);
    }
}

const createProxy = (name, more = {}) =>
    toxiproxy.createProxy({ listen: "localhost:0", name, upstream: "localhost:6379", ...more });
const createToxic = (proxy, type, attributes, more = {}) => proxy.addToxic({ attributes, type, ...more });
const refused = (status) => (error) => {
    assert.ok(error instanceof ToxiproxyError);
    assert.equal(error.message, `Request failed with status code ${status}`);
    return true;
};

// The client's own suite: proxies.

await test("a proxy is updated", async () => {
    const proxy = await createProxy("update-proxy-test");
    const disabled = await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream });
    assert.equal(disabled.enabled, false);
    const moved = await proxy.update({ enabled: true, listen: proxy.listen, upstream: "somehost:12345" });
    assert.equal(moved.enabled, true);
    assert.equal(moved.upstream, "somehost:12345");
    await proxy.remove();
});

await test("a proxy is removed", async () => {
    const proxy = await createProxy("remove-test");
    await proxy.remove();
    await assert.rejects(toxiproxy.get("remove-test"), refused(404));
});

await test("the same proxy twice is refused", async () => {
    const proxy = await createProxy("duplicate");
    await assert.rejects(createProxy("duplicate"), refused(409));
    await proxy.remove();
});

// Its own suite: the server.

await test("a proxy is created", async () => {
    const proxy = await createProxy("create-test");
    assert.ok(proxy instanceof Proxy);
    assert.match(proxy.listen, /^127\.0\.0\.1:[1-9]\d*$/);
    assert.equal(proxy.enabled, true);
    await proxy.remove();
});

await test("a proxy is got", async () => {
    const created = await createProxy("get-test");
    const fetched = await toxiproxy.get(created.name);
    assert.deepEqual(fetched.toJson(), created.toJson());
    await created.remove();
});

await test("the version is told", async () => {
    assert.match(JSON.parse(await toxiproxy.getVersion()).version, /^2\.\d+/);
});

await test("everything is reset", async () => {
    const proxy = await createProxy("reset-test", { enabled: false });
    await createToxic(proxy, "latency", { latency: 5, jitter: 0 });
    await toxiproxy.reset();
    assert.equal((await toxiproxy.get("reset-test")).enabled, true);
    await assert.rejects(proxy.getToxic("latency_downstream"), refused(404));
});

await test("proxies are populated and removed", async () => {
    const proxies = await toxiproxy.populate([{ listen: "localhost:0", name: "get-all-test", upstream: "localhost:6379" }]);
    assert.deepEqual(Object.keys(proxies), ["get-all-test"]);
    await Promise.all(Object.values(proxies).map((proxy) => proxy.remove()));
});

await test("all proxies are got", async () => {
    const bodies = [
        { listen: "127.0.0.1:0", name: "get-all-test1", upstream: "localhost:6379" },
        { listen: "127.0.0.1:0", name: "get-all-test2", upstream: "localhost:12345" },
    ];
    const populated = await toxiproxy.populate(bodies);
    const proxies = await toxiproxy.getAll();
    assert.equal(Object.keys(proxies).length, 2);
    for (const body of bodies) {
        assert.equal(proxies[body.name].name, body.name);
        assert.equal(proxies[body.name].listen, populated[body.name].listen);
        assert.equal(proxies[body.name].upstream, body.upstream);
    }
});

// Its own suite: toxics.

await test("a toxic is created, got, updated and removed", async () => {
    const proxy = await createProxy("remove-toxic-test");
    const toxic = await createToxic(proxy, "latency", { latency: 1000, jitter: 100 });
    assert.ok(toxic instanceof Toxic);
    assert.equal(toxic.name, "latency_downstream");
    assert.equal(toxic.toxicity, 1);
    assert.deepEqual(toxic.attributes, { latency: 1000, jitter: 100 });
    assert.deepEqual((await proxy.getToxic(toxic.name)).toJson(), toxic.toJson());
    const updated = await toxic.update({ attributes: { latency: 12345, jitter: 42 } });
    assert.deepEqual(updated.attributes, { latency: 12345, jitter: 42 });
    assert.equal(updated.toxicity, 1);
    await toxic.remove();
    await assert.rejects(proxy.getToxic("latency_downstream"), refused(404));
});

await test("the same toxic twice is refused", async () => {
    const proxy = await createProxy("duplicate-toxic-test");
    await createToxic(proxy, "latency", { latency: 1000, jitter: 100 });
    await assert.rejects(createToxic(proxy, "latency", { latency: 1000, jitter: 100 }), refused(409));
});

for (const [type, attributes] of Object.entries({
    latency: { latency: 1000, jitter: 100 },
    bandwidth: { rate: 1000 },
    slow_close: { delay: 1000 },
    timeout: { timeout: 5000 },
    slicer: { average_size: 1000, delay: 1000, size_variation: 1000 },
    reset_peer: { timeout: 1000 },
    limit_data: { bytes: 42 },
})) {
    await test(`a toxic of type ${type} is added`, async () => {
        const proxy = await createProxy(`add-${type}-toxic-test`);
        const down = await createToxic(proxy, type, attributes);
        assert.deepEqual(down.attributes, attributes);
        assert.equal(down.stream, "downstream");
        const up = await createToxic(proxy, type, attributes, { stream: "upstream", name: "up", toxicity: 0.5 });
        assert.deepEqual(up.toJson(), { attributes, name: "up", stream: "upstream", toxicity: 0.5, type });
        await down.remove();
        await up.remove();
    });
}

// What its suite leaves out.

await test("what is refused is told as an error of the client's", async () => {
    const proxy = await createProxy("refusals");
    await assert.rejects(createProxy(""), refused(400));
    await assert.rejects(createProxy("no-upstream", { upstream: "" }), refused(400));
    await assert.rejects(createProxy("taken", { listen: proxy.listen }), refused(500));
    await assert.rejects(createToxic(proxy, "nonsense", {}), refused(400));
    await assert.rejects(createToxic(proxy, "latency", { latency: "much" }), refused(400));
    await assert.rejects(createToxic(proxy, "latency", {}, { stream: "sideways" }), refused(400));
    await assert.rejects(toxiproxy.populate([{ name: "", listen: "", upstream: "" }]), refused(400));
});

await test("bytes pass, wait for a latency, and are refused while the proxy is down", async () => {
    const server = net.createServer((socket) => socket.on("error", () => {}).pipe(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = await createProxy("bytes", { upstream: `127.0.0.1:${server.address().port}` });
    const port = Number(proxy.listen.split(":")[1]);
    const socket = net.connect(port, "127.0.0.1");
    const exchange = async (text) => {
        const began = performance.now();
        socket.write(text);
        const [data] = await once(socket, "data");
        assert.equal(data.toString(), text);
        return performance.now() - began;
    };
    await exchange("hello");
    const toxic = await createToxic(proxy, "latency", { latency: 200, jitter: 0 });
    assert.ok((await exchange("slow")) >= 195);
    await toxic.remove();
    assert.ok((await exchange("quick")) < 195);
    const closed = once(socket, "close");
    socket.on("error", () => {});
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream });
    await closed;
    const again = net.connect(port, "127.0.0.1");
    const [error] = await once(again, "error");
    assert.equal(error.code, "ECONNREFUSED");
    server.close();
});

console.log(`ok ${cases}`);
process.exit(0);

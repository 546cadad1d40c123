// Row S04: do the proxy and Redis ever see different commands in the same bytes?
using System.Text;
using System.Text.RegularExpressions;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>
/// The same random bytes go straight to one Redis, and through the proxy to another. MONITOR shows what each has run. Both must have run the same commands.
/// Where the proxy refuses bytes that Redis would take, the Redis behind it must have run the same commands up to there.
/// </summary>
[Trait("Against", "every-redis")]
[Trait("Concerns", "sessions")]
public sealed partial class S04_SmugglingTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private const int Streams = 400;
    private const string Stolen = "*2\r\n$24\r\nkey_evt_amqp.keymask_set\r\n$6\r\nstolen\r\nkey_evt_amqp.keymask_set stolen\r\n";

    [Fact]
    public async Task Redis_runs_the_same_commands_of_random_bytes_with_and_without_the_proxy()
    {
        Assert.Equal("OK", (await proxy.Program.CallAsync("key_evt_amqp.keymask_set", "kept")).Text);
        await Eventually.ValueAsync("the proxy's own connections", async () => (await proxy.Redis.CallAsync("CLIENT", "LIST")).Text, list => list.Contains(" name=keyevt-fallback", StringComparison.Ordinal));
        await proxy.Program.ReadyAsync();
        await using var direct = await Watched.StartAsync(proxy.Other, proxy.Other.Port);
        await using var through = await Watched.StartAsync(proxy.Redis, proxy.Program.Port);
        var commands = 0;
        for (var seed = 0; seed < Streams; seed++)
        {
            var random = new Random(seed);
            var stream = Stream(random);
            if (seed % 2 == 1) Mutate(stream, random);
            var cut = random.Next(stream.Count);
            var (seenDirect, answerDirect) = await direct.SendAsync([.. stream], cut, seed);
            var (seenThrough, answerThrough) = await through.SendAsync([.. stream], cut, seed);
            var text = $"seed {seed}: {Regex.Escape(Encoding.Latin1.GetString([.. stream]))}\ndirect:  {string.Join(" | ", seenDirect)}\nthrough: {string.Join(" | ", seenThrough)}\n{answerThrough}";
            Assert.True(seenThrough.Count <= seenDirect.Count && seenDirect.Take(seenThrough.Count).SequenceEqual(seenThrough), text);
            var refused = answerThrough.Contains("-ERR Protocol error", StringComparison.Ordinal);
            Assert.True(refused || seenThrough.Count == seenDirect.Count, text);
            Assert.True(refused || seed % 2 == 1 || answerDirect == answerThrough, text);
            commands += seenThrough.Count;

            // A mutation may turn a value into a real request of a key_evt_amqp command. Redis itself then answers that it does not know it.
            if (answerDirect.Contains("unknown command 'key_evt_amqp.keymask_set'", StringComparison.OrdinalIgnoreCase))
            {
                await proxy.Program.CallAsync("key_evt_amqp.keymask_set", "kept");
            }

            Assert.Equal(["kept"], (await proxy.Program.CallAsync("key_evt_amqp.keymask_get")).Texts);
        }
        Assert.True(commands > Streams, $"only {commands} commands were seen");
    }

    private static List<byte> Stream(Random random)
    {
        var bytes = new List<byte>();
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var value = new string('.', random.Next(40)) + (random.Next(2) == 0 ? Stolen : "\r\n$3\r\n*1\r\n") + new string('"', random.Next(3));
            bytes.AddRange(random.Next(5) switch
            {
                0 or 1 => RespClient.Command("SET", "k" + random.Next(5), value),
                2 => RespClient.Command("ECHO", value),
                3 => Encoding.Latin1.GetBytes(random.Next(2) == 0 ? "GET k1\r\n" : "ECHO \"key_evt_amqp.keymask_set stolen\\r\\nkey_evt_amqp.keymask_set stolen\\n\"\r\n"),
                _ => RespClient.Command("MGET", "k1", "key_evt_amqp.keymask_set", "stolen"),
            });
        }
        return bytes;
    }

    private static void Mutate(List<byte> bytes, Random random)
    {
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Count);
            var value = random.Next(3) == 0 ? (byte)random.Next(256) : "\r\n$*0123456789 \"'\0"u8[random.Next(17)];
            switch (random.Next(3))
            {
                case 0: bytes.Insert(at, value); break;
                case 1 when bytes.Count > 1: bytes.RemoveAt(at); break;
                default: bytes[at] = value; break;
            }
        }
    }

    /// <summary>One Redis with MONITOR running, and the port to which the bytes are sent.</summary>
    private sealed partial class Watched(RedisServer redis, int port, RespClient monitor, RespClient control) : IAsyncDisposable
    {
        public static async Task<Watched> StartAsync(RedisServer redis, int port)
        {
            var control = await redis.ConnectAsync();
            var monitor = await redis.ConnectAsync();
            await monitor.CallAsync("MONITOR");
            return new Watched(redis, port, monitor, control);
        }

        /// <summary>Sends the bytes. Returns the commands that Redis has run, and its answer.</summary>
        public async Task<(List<string> Seen, string Answer)> SendAsync(byte[] stream, int cut, int seed)
        {
            // Commands on connections of the proxy itself and of this test are left out.
            var others = Address.Matches((await control.CallAsync("CLIENT", "LIST")).Text).Select(match => match.Groups[1].Value).ToHashSet();
            await control.CallAsync("FLUSHALL");
            await using var client = await RespClient.ConnectAsync(port);
            try
            {
                await client.SendAsync(stream.AsMemory(0, cut));
                await client.SendAsync(stream.AsMemory(cut));
                client.EndSending();
            }
            catch (System.Net.Sockets.SocketException)
            {
                // The connection was closed before all was sent.
            }
            var answer = await client.ReadTextToEndAsync();
            var end = $"end of {seed} on {redis.Port}";
            await control.CallAsync("ECHO", end);
            var seen = new List<string>();
            while (true)
            {
                // A line of MONITOR: +1700000000.123456 [0 127.0.0.1:5000] "SET" "k" "v"
                var line = (await monitor.ReadReplyAsync()).Text;
                if (line.Contains(end, StringComparison.Ordinal)) return (seen, answer);
                var match = Line.Match(line);
                if (!others.Contains(match.Groups[1].Value) && !match.Groups[2].Value.StartsWith("\"CONFIG\" \"GET\" \"notify-keyspace-events\"", StringComparison.Ordinal))
                {
                    seen.Add(match.Groups[2].Value);
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await monitor.DisposeAsync();
            await control.DisposeAsync();
        }

        [GeneratedRegex(@" addr=(\S+)")]
        private static partial Regex Address { get; }

        [GeneratedRegex(@"^\S+ \[\d+ (\S+)\] (.*)$", RegexOptions.Singleline)]
        private static partial Regex Line { get; }
    }
}

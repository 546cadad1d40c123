// Row P05: do a million commands in one pipeline, and the largest value there is, pass in bounded memory?
using System.Globalization;
using System.Text;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class P05_StreamingTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private const int MiB = BigValues.MiB;
    private const int Commands = 1_000_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pipeline_of_a_million_commands_is_answered_in_order_in_bounded_memory(bool readMeanwhile)
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.CallAsync("DEL", "n");
        var request = RespClient.Command("INCR", "n");
        var batch = Enumerable.Repeat(request, 10_000).SelectMany(bytes => bytes).ToArray();

        var growth = await BigValues.GrowthAsync(proxy.Program.Process, async () =>
        {
            var reading = readMeanwhile ? ReadAsync(client) : null;
            for (var i = 0; i < Commands / 10_000; i++) await client.SendAsync(batch, TimeSpan.FromSeconds(60));
            await (reading ?? ReadAsync(client));
        });

        Assert.True(growth < 32 * MiB, $"grew by {growth / MiB} MiB");
    }

    [Fact]
    public async Task A_value_of_512_MB_streams_both_ways_in_bounded_memory()
    {
        var piece = new byte[MiB];
        new Random(1).NextBytes(piece);
        await using var client = await proxy.Program.ConnectAsync();
        await BigValues.StoreAsync(client, "big", piece, 1);
        await BigValues.FetchAsync(client, "big", piece, 1);

        var growth = await BigValues.GrowthAsync(proxy.Program.Process, async () =>
        {
            await BigValues.StoreAsync(client, "big", piece, 512);
            await BigValues.FetchAsync(client, "big", piece, 512);
        });

        Assert.True(growth < 32 * MiB, $"grew by {growth / MiB} MiB");
        await client.CallAsync("DEL", "big");
    }

    /// <summary>Reads all replies. INCR counts, so a reply that is missing, doubled or out of order is seen.</summary>
    private static async Task ReadAsync(RespClient client)
    {
        for (var first = 1; first <= Commands; first += 1000)
        {
            var expected = string.Concat(Enumerable.Range(first, 1000).Select(n => string.Create(CultureInfo.InvariantCulture, $":{n}\r\n")));
            var got = Encoding.Latin1.GetString(await client.ReadBytesAsync(expected.Length, TimeSpan.FromSeconds(60)));
            if (got != expected) Assert.Fail($"the replies from {first} on differ");
        }
    }
}

// Does KeyEvt ignore and refuse exactly what the server does?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

/// <summary>Each row of <see cref="FramingTable"/> between two writes: on the server itself and through KeyEvt.</summary>
public sealed class FramingTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    [Theory]
    [MemberData(nameof(FramingTable.Ignored), MemberType = typeof(FramingTable))]
    public async Task What_the_server_ignores_passes(string request)
    {
        foreach (var port in new[] { proxy.Other.Port, proxy.Program.Port })
            Assert.Equal("+OK\r\n+PONG\r\n+OK\r\n", await AnswerAsync(port, $"SET a 1\r\n{request}*1\r\n$4\r\nPING\r\n{request}QUIT\r\n"));
    }

    [Theory]
    [MemberData(nameof(FramingTable.Refused), MemberType = typeof(FramingTable))]
    public async Task What_the_server_refuses_is_refused_in_its_words_and_nothing_behind_it_runs(string request, string words)
    {
        var name = Guid.NewGuid().ToString("N");
        foreach (var (redis, port) in new[] { (proxy.Other, proxy.Other.Port), (proxy.Redis, proxy.Program.Port) })
        {
            Assert.Equal($"+OK\r\n-ERR Protocol error: {words}\r\n", await AnswerAsync(port, $"SET good{name} 1\r\n{request}\r\nSET bad{name} 1\r\n"));
            Assert.Equal(1, (await redis.CallAsync("EXISTS", "good" + name)).Integer);
            Assert.Equal(0, (await redis.CallAsync("EXISTS", "bad" + name)).Integer);
        }
    }

    [Theory]
    [MemberData(nameof(FramingTable.Loose), MemberType = typeof(FramingTable))]
    public async Task What_some_servers_take_loosely_is_refused(string request)
    {
        var name = Guid.NewGuid().ToString("N");
        var answer = await AnswerAsync(proxy.Program.Port, $"SET good{name} 1\r\n{request}SET bad{name} 1\r\n");
        Assert.StartsWith("+OK\r\n-ERR Protocol error", answer, StringComparison.Ordinal);
        Assert.Equal(1, answer.Split("-ERR").Length - 1);
        Assert.Equal(1, (await proxy.Redis.CallAsync("EXISTS", "good" + name)).Integer);
        Assert.Equal(0, (await proxy.Redis.CallAsync("EXISTS", "bad" + name)).Integer);
    }

    private static async Task<string> AnswerAsync(int port, string request)
    {
        await using var client = await RespClient.ConnectAsync(port);
        try
        {
            await client.SendAsync(request);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Closed in the middle of the request: what was answered counts.
        }

        return await client.ReadTextToEndAsync();
    }
}

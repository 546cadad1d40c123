using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Cluster;

/// <summary>Which bytes of the replies are changed, however they arrive?</summary>
public sealed class RedirectFilterTests
{
    [Theory]
    [InlineData("-MOVED 3999 10.0.0.2:6379\r\n", "-MOVED 3999 proxy:7002\r\n")]
    [InlineData("-ASK 3999 10.0.0.2:6379\r\n", "-ASK 3999 proxy:7002\r\n")]
    [InlineData("-MOVED 3999 fd00::6:6379\r\n", "-MOVED 3999 proxy:7006\r\n")]
    [InlineData("-MOVED 3999 FD00:0::6:6379\r\n", "-MOVED 3999 proxy:7006\r\n")]
    [InlineData("-MOVED 3999 [fd00::6]:6379\r\n", "-MOVED 3999 proxy:7006\r\n")]
    [InlineData("-MOVED 1 ONE.redis:6379\r\n-ASK 1 six.redis:6379\r\n", "-MOVED 1 proxy:7001\r\n-ASK 1 proxy:7006\r\n")]
    [InlineData("-MOVED 3999 :6379\r\n", "-MOVED 3999 proxy:7002\r\n")] // no host: who serves the slot
    [InlineData("-MOVED 8001 ?:6379\r\n", "-MOVED 8001 proxy:7006\r\n")]
    [InlineData("+OK\r\n-MOVED 1 10.0.0.1:6379\r\n-ASK 2 10.0.0.2:6379\r\n:1\r\n", "+OK\r\n-MOVED 1 proxy:7001\r\n-ASK 2 proxy:7002\r\n:1\r\n")]
    [InlineData("*2\r\n$1\r\na\r\n_\r\n-MOVED 1 10.0.0.1:6379\r\n>2\r\n+x\r\n+y\r\n", "*2\r\n$1\r\na\r\n_\r\n-MOVED 1 proxy:7001\r\n>2\r\n+x\r\n+y\r\n")]
    public Task A_redirection_leads_through_the_proxy(string replies, string expected) => AllWaysAsync(replies, expected);

    [Theory]
    [InlineData("$27\r\n-MOVED 3999 10.0.0.2:6379\r\n\r\n")] // a value
    [InlineData("+-MOVED 1 10.0.0.2:6379\r\n")]
    [InlineData("*1\r\n-MOVED 3999 10.0.0.2:6379\r\n")] // somebody's data: Redis never redirects inside EXEC
    [InlineData(">2\r\n+x\r\n$25\r\n-MOVED 3999 10.0.0.2:6379\r\n")]
    [InlineData("-ERR no\r\n-MOVE\r\n-MOVED\r\n-MOVED \r\n-M\r\n-ASKING\r\n-ASK\r\n-\r\n")]
    [InlineData("-MOVED 3999\r\n-MOVED 3999 10.0.0.2\r\n-MOVED 3999 10.0.0.2:x\r\n-MOVED 1 2 10.0.0.2:6379\r\n-MOVED x 10.0.0.2:6379\r\n-MOVED  10.0.0.2:6379\r\n-ASK a\n")]
    [InlineData("-MOV")]
    [InlineData("-MOVED 1 10.0.0.1:63")]
    [InlineData("$3\r\nabc*1\r\n$4\r\nPING\r\n-MOVED 1 10.0.0.1:6379\r\n")] // a replication stream: not RESP from its first payload on
    public Task Everything_else_is_left_alone(string replies) => AllWaysAsync(replies, replies);

    [Fact]
    public Task A_line_longer_than_any_redirection_is_left_alone()
    {
        var replies = $"-MOVED {new string('x', 2 * Redirection.MaxBytes)}\r\n+OK\r\n-MOVED 1 10.0.0.1:6379\r\n";
        return AllWaysAsync(replies, replies.Replace("10.0.0.1:6379", "proxy:7001", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_that_becomes_known_in_time_is_named_as_the_proxy()
    {
        AddressTranslator nodePort = null!;
        nodePort = NodePorts.Translator(hint: _ => nodePort.Change(new PortMap([.. NodePorts.Ports.Entries, new(new string('9', 40), ["10.0.0.9"], 6379, 7009)])));
        Assert.Equal("-MOVED 1 proxy:7009\r\n", await PlayAsync(nodePort, ["-MOVED 1 10.0.0.9:6379\r\n"]));
    }

    [Fact]
    public async Task A_node_that_stays_unknown_is_passed_on_after_a_while_and_what_came_before_is_not_held_up()
    {
        var time = new FakeTimeProvider();
        var hints = new List<string>();
        var pipe = new Pipe();
        var filter = new RedirectFilter(new NodeNames(NodePorts.Translator(hints.Add, time), "proxy", TransportAddress.Tcp("10.0.0.1", 6379)), NullLogger.Instance);
        var writing = filter.WriteAsync(new ReadOnlySequence<byte>("+A\r\n-MOVED 1 10.0.0.9:6379\r\n+B\r\n"u8.ToArray()), pipe.Writer).AsTask();
        var before = await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal("+A\r\n", Encoding.Latin1.GetString(before.Buffer));
        pipe.Reader.AdvanceTo(before.Buffer.End);
        Assert.False(writing.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await writing.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        Assert.Equal("-MOVED 1 10.0.0.9:6379\r\n+B\r\n", Encoding.Latin1.GetString((await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken)).Buffer));
        Assert.Contains("10.0.0.9:6379", Assert.Single(hints));
    }

    private static async Task AllWaysAsync(string replies, string expected)
    {
        Assert.Equal(expected, await PlayAsync(NodePorts.Translator(), [replies]));
        Assert.Equal(expected, await PlayAsync(NodePorts.Translator(), [.. replies.Select(each => each.ToString())]));
        for (var cut = 1; cut < replies.Length; cut++)
        {
            Assert.Equal(expected, await PlayAsync(NodePorts.Translator(), [replies[..cut], replies[cut..]]));
        }
    }

    /// <summary>As the reply pump does it.</summary>
    private static async Task<string> PlayAsync(AddressTranslator nodePort, string[] pieces)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var filter = new RedirectFilter(new NodeNames(nodePort, "proxy", TransportAddress.Tcp("10.0.0.1", 6379)), NullLogger.Instance);
        foreach (var piece in pieces)
        {
            var bytes = new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(piece));
            if (filter.MayPass(bytes)) pipe.Writer.Write(bytes.FirstSpan);
            else await filter.WriteAsync(bytes, pipe.Writer);
        }

        filter.WriteHeld(pipe.Writer);
        await pipe.Writer.CompleteAsync();
        return Encoding.Latin1.GetString((await pipe.Reader.ReadAsync()).Buffer);
    }
}

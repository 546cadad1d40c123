using System.Net.Sockets;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Tests.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Proxy.Tests.Barrier;

/// <summary>When is an upstream asked how it names an unknown command, and how long does the answer hold?</summary>
public sealed class UpstreamProbeTests
{
    private static readonly TransportAddress Upstream = TransportAddress.Tcp("upstream", 6379);
    private static readonly TransportAddress Other = TransportAddress.Tcp("other", 6379);
    private static readonly TimeSpan OneTick = TimeSpan.FromTicks(1);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger _log = new();
    private readonly UpstreamProbe _probe;
    private Func<string, string> _echo = SessionUnderTest.EchoLine;
    private int _connects;
    private bool _isRefusing;

    public UpstreamProbeTests() => _probe = new UpstreamProbe(new MemoryTransport(ConnectAsync), _time, _log);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_learnt_holds_for_connections_opened_before_and_not_for_later_ones_nor_elsewhere()
    {
        var before = _time.GetTimestamp();
        Assert.Equal(InterceptionState.NotTried, _probe.State);
        var words = await _probe.LearnAsync(Upstream, before, Cancel);
        Assert.NotNull(words.Shape);
        Assert.Equal(InterceptionState.On, _probe.State);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(words, await _probe.LearnAsync(Upstream, before, Cancel));
        Assert.Equal(1, _connects);

        await _probe.LearnAsync(Upstream, before + 1, Cancel);
        Assert.Equal(2, _connects);
        await _probe.LearnAsync(Other, before, Cancel);
        Assert.Equal(3, _connects);
        AssertSaid("Information 1200"); // and not each time
    }

    [Fact]
    public async Task That_the_name_is_left_out_is_believed_for_3_s()
    {
        _echo = _ => "-ERR unknown command\r\n";
        var words = await _probe.LearnAsync(Upstream, 0, Cancel);
        Assert.Equal((null, true), (words.Shape, words.IsSilent));
        Assert.Equal(InterceptionState.NoEcho, _probe.State);
        await AskedAgainAfter3SecondsAsync();

        _echo = SessionUnderTest.EchoLine;
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.NotNull((await _probe.LearnAsync(Upstream, 0, Cancel)).Shape);
        Assert.Equal(InterceptionState.On, _probe.State);
        AssertSaid("Warning 1201", "Information 1200");
    }

    [Fact]
    public async Task An_upstream_that_could_not_be_asked_is_left_alone_for_3_s()
    {
        _isRefusing = true;
        Assert.Equal(default, await _probe.LearnAsync(Upstream, 0, Cancel));
        Assert.Equal(InterceptionState.NotTried, _probe.State);
        await AskedAgainAfter3SecondsAsync();

        await _probe.LearnAsync(Other, 0, Cancel); // another one is not
        Assert.Equal(3, _connects);
        AssertSaid("Debug 1202", "Debug 1202", "Debug 1202");
    }

    [Fact]
    public async Task Sessions_that_ask_at_the_same_time_ask_once()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var probe = new UpstreamProbe(
            new MemoryTransport(async _ =>
            {
                await answer.Task;
                return await ConnectAsync(default);
            }),
            _time,
            NullLogger.Instance);
        var both = Task.WhenAll(probe.LearnAsync(Upstream, 0, Cancel).AsTask(), probe.LearnAsync(Upstream, 0, Cancel).AsTask());
        answer.SetResult();
        Assert.All(await both.WaitAsync(Soon, Cancel), words => Assert.NotNull(words.Shape));
        Assert.Equal(1, _connects);
    }

    [Theory]
    [InlineData("-ERR unknown command '{0}'\r\n", "-ERR Unknown Command '{0}'\r\n")]
    [InlineData("-ERR unknown command '{0}'\r\n", "-ERR unknown command '{0}'.\r\n")]
    [InlineData("+OK {0}\r\n", "+OK {0}\r\n")]
    [InlineData("{0}\r\n", "{0}\r\n")]
    public async Task Words_that_differ_or_are_no_error_teach_nothing(string first, string second)
    {
        var isFirst = true;
        _echo = name =>
        {
            var words = isFirst ? first : second;
            isFirst = !isFirst;
            return words.Replace("{0}", name, StringComparison.Ordinal);
        };
        Assert.Equal(default, await _probe.LearnAsync(Upstream, 0, Cancel));
    }

    [Fact]
    public async Task A_connection_that_ends_before_it_is_written_to_is_a_trial_that_failed()
    {
        var ended = new MemoryConnection();
        await ended.Output.CompleteAsync();
        var probe = new UpstreamProbe(new MemoryTransport(_ => ValueTask.FromResult<IConnection>(ended)), _time, _log);
        Assert.Equal(default, await probe.LearnAsync(Upstream, 0, Cancel).AsTask().WaitAsync(Soon, Cancel));
    }

    [Fact]
    public async Task The_name_may_come_directly_behind_the_minus()
    {
        _echo = name => $"-{name} is what?\r\n";
        Assert.NotNull((await _probe.LearnAsync(Upstream, 0, Cancel)).Shape);
    }

    [Theory]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public async Task A_line_of_more_than_1024_bytes_is_not_waited_for(int bytes, bool isTaken)
    {
        var connection = new MemoryConnection();
        var probe = new UpstreamProbe(new MemoryTransport(_ => ValueTask.FromResult<IConnection>(connection)), _time, NullLogger.Instance);
        var asking = probe.LearnAsync(Upstream, 0, Cancel).AsTask();
        var name = (await connection.ReadRequestAsync())[0];
        var other = (await connection.ReadRequestAsync())[0];
        await connection.SendAsync($"-ERR unknown command {name}".PadRight(bytes, '.'));
        if (isTaken)
        {
            await Task.Delay(50, Cancel);
            Assert.False(asking.IsCompleted);
            await connection.SendAsync("\r\n");
            await connection.SendAsync($"-ERR unknown command {other}".PadRight(bytes, '.') + "\r\n");
        }

        Assert.Equal(isTaken, (await asking.WaitAsync(Soon, Cancel)).Shape is not null);
    }

    [Fact]
    public async Task An_upstream_that_says_nothing_is_given_up_after_2_s()
    {
        var probe = new UpstreamProbe(new MemoryTransport(_ => ValueTask.FromResult<IConnection>(new MemoryConnection())), _time, NullLogger.Instance);
        var asking = probe.LearnAsync(Upstream, 0, Cancel).AsTask();
        _time.Advance(TimeSpan.FromSeconds(2) - OneTick);
        await Task.Delay(50, Cancel);
        Assert.False(asking.IsCompleted);
        _time.Advance(OneTick);
        Assert.Equal(default, await asking.WaitAsync(Soon, Cancel));
    }

    [Fact]
    public async Task A_session_that_ends_takes_its_question_with_it_and_the_next_one_asks()
    {
        using var ended = new CancellationTokenSource();
        var probe = new UpstreamProbe(new MemoryTransport(cancel => _connects++ > 0 ? ConnectAsync(cancel) : ValueTask.FromResult<IConnection>(new MemoryConnection())), _time, NullLogger.Instance);
        var asking = probe.LearnAsync(Upstream, 0, ended.Token).AsTask();
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(Soon, Cancel));
        Assert.NotNull((await probe.LearnAsync(Upstream, 0, Cancel)).Shape);
    }

    private async Task AskedAgainAfter3SecondsAsync()
    {
        _time.Advance(TimeSpan.FromSeconds(3));
        await _probe.LearnAsync(Upstream, 0, Cancel);
        Assert.Equal(1, _connects);
        _time.Advance(OneTick);
        await _probe.LearnAsync(Upstream, 0, Cancel);
        Assert.Equal(2, _connects);
    }

    private void AssertSaid(params string[] beginnings) => Assert.Equal(beginnings, _log.Lines.Select(line => string.Join(' ', line.Split(' ').Take(2))));

    private ValueTask<IConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        _connects++;
        return _isRefusing ? throw new SocketException((int)SocketError.ConnectionRefused) : MemoryTransport.Echoing(name => _echo(name)).ConnectAsync(Upstream, cancellationToken);
    }
}

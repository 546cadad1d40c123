using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Xunit;
using static KeyEvt.Proxy.Tests.Session.SessionUnderTest;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>What is a session's interceptor told, and when does what it inserts go to the client?</summary>
public sealed class SessionInterceptorTests
{
    private const int FrameBytes = 1024, FlushedBytes = 16 * 1024;

    private readonly RecordingInterceptor _interceptor = new();

    [Fact]
    public async Task A_request_too_large_to_be_looked_at_passes_and_is_told_once()
    {
        await using var test = new SessionUnderTest(interceptor: _interceptor);
        var large = Request("SUBSCRIBE", new string('c', 100_000));
        var sending = test.Client.SendAsync(large);
        await test.Upstream.ExpectAsync(large);
        await sending;
        for (var n = 0; n < 3; n++)
        {
            await test.Client.SendAsync(Request("PING"));
            await test.Upstream.ExpectAsync(Request("PING"));
        }

        Assert.Equal(1, _interceptor.TooLarge);
    }

    [Fact]
    public async Task It_ends_with_the_upstream_however_long_the_client_takes_to_close()
    {
        await using var test = new SessionUnderTest(interceptor: _interceptor);
        test.Upstream.Finish();
        Assert.Equal("", await test.Client.ReadToEndAsync());
        await Eventually.TrueAsync(() => _interceptor.IsDisposed, "the interceptor ends");
        Assert.False(test.Client.IsDisposed);
    }

    [Fact]
    public async Task Many_frames_between_two_replies_are_flushed_on_the_way()
    {
        await using var test = new SessionUnderTest(interceptor: _interceptor);
        _interceptor.Frames.Left = 100;
        await test.Upstream.SendAsync("+OK\r\n");
        await Eventually.TrueAsync(() => _interceptor.Frames.Left <= 100 - (FlushedBytes / FrameBytes), "frames are taken");
        Assert.Equal(100 - (FlushedBytes / FrameBytes), _interceptor.Frames.Left); // the client has not read these yet
        await test.Client.ExpectAsync("+OK\r\n" + new string('f', 100 * FrameBytes));
        Assert.Equal("+OK\r\n".Length + (100 * FrameBytes), test.Session.Traffic.ToClient);
    }

    private sealed class RecordingInterceptor : SessionInterceptor
    {
        public int TooLarge { get; private set; }

        public bool IsDisposed { get; private set; }

        public InsertedFrames Frames { get; } = new();

        public override CandidateFilter Candidates => new(isNodePort: true, isMerging: true);

        public override IReplyFilter ReplyFilter { get; } = new WholeReplies();

        public override IInsertedFrames Inserted => Frames;

        public override void PassesTooLarge() => TooLarge++;

        public override ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return base.DisposeAsync();
        }
    }

    /// <summary>Changes nothing. The upstream of these tests sends whole replies only.</summary>
    private sealed class WholeReplies : IReplyFilter
    {
        public bool MayPass(in ReadOnlySequence<byte> replies) => true;

        public ValueTask WriteAsync(ReadOnlySequence<byte> replies, PipeWriter client)
        {
            client.TryWrite(replies);
            return default;
        }

        public void WriteHeld(PipeWriter client)
        {
        }

        public long ToBoundary(in ReadOnlySequence<byte> replies) => replies.Length;
    }

    private sealed class InsertedFrames : IInsertedFrames
    {
        private volatile int _left;

        public int Left { get => _left; set => _left = value; }

        public bool HasSome => _left > 0;

        public int BeginTaking() => _left;

        public ReadOnlyMemory<byte> Take()
        {
            _left--;
            return Encoding.ASCII.GetBytes(new string('f', FrameBytes));
        }
    }
}

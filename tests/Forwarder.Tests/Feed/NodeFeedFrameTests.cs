using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using KeyEvt.Forwarder.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Are frames found whole, however the bytes are cut?</summary>
public class NodeFeedFrameTests
{
    private static readonly string[] Frames =
    [
        "+OK\r\n",
        "-ERR no\r\n",
        ":-17\r\n",
        "_\r\n",
        "#t\r\n",
        ",1.5\r\n",
        "(123456789012345678901234567890\r\n",
        "$-1\r\n",
        "$0\r\n\r\n",
        "$5\r\na\r\nb\n\r\n",
        "*0\r\n",
        "*-1\r\n",
        "%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n$1\r\nx\r\n",
        "~1\r\n=7\r\ntxt:abc\r\n",
        "|1\r\n+k\r\n+v\r\n*1\r\n:3\r\n",
        ">4\r\n$8\r\npmessage\r\n$16\r\n__keyevent@*__:*\r\n$18\r\n__keyevent@0__:set\r\n$3\r\nkey\r\n",
        "!5\r\nERR x\r\n",
    ];

    [Fact]
    public async Task Frames_come_whole_at_every_split()
    {
        var all = Encoding.Latin1.GetBytes(string.Concat(Frames));
        for (var split = 0; split <= all.Length; split++) Assert.Equal(Frames, await ReadAsync([all[..split], all[split..]]));
    }

    [Fact]
    public async Task Frames_come_whole_byte_by_byte() =>
        Assert.Equal(Frames, await ReadAsync([.. Encoding.Latin1.GetBytes(string.Concat(Frames)).Select(one => new[] { one })]));

    [Fact]
    public void Frames_in_many_segments_come_whole()
    {
        var all = Encoding.Latin1.GetBytes(string.Concat(Frames));
        for (var size = 1; size < 40; size++)
        {
            var collected = new Collector();
            var reader = new FrameReader(PipeReader.Create(Segments(all, size)), collected, 1 << 20);
            Assert.True(reader.RunAsync().IsCompletedSuccessfully);
            Assert.Equal(Frames, collected.Frames);
        }
    }

    [Fact]
    public async Task A_push_over_the_limit_is_read_past_at_every_split()
    {
        var large = $">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$500\r\n{new string('x', 500)}\r\n";
        var all = Encoding.Latin1.GetBytes("+a\r\n" + large + "+b\r\n");
        for (var split = 0; split <= all.Length; split++)
        {
            Assert.Equal(["+a\r\n", $"oversized {large.Length}", "+b\r\n"], await ReadAsync([all[..split], all[split..]], 200));
        }
    }

    [Theory]
    [InlineData("X\r\n")]
    [InlineData("\r\n")]
    [InlineData("+OK\n")]
    [InlineData("$x\r\n")]
    [InlineData("$\r\n")]
    [InlineData("*99999999999999999999\r\n")]
    [InlineData("$-2\r\n")]
    [InlineData("*1\r\n$2147483648\r\n")]
    public async Task What_is_not_RESP_is_refused(string text)
    {
        var fault = await Assert.ThrowsAsync<RedisFaultException>(() => ReadAsync([Encoding.Latin1.GetBytes(text)]));

        Assert.Equal(RedisFaultKind.Protocol, fault.Fault.Kind);
    }

    [Fact]
    public async Task An_answer_over_the_limit_is_refused()
    {
        var fault = await Assert.ThrowsAsync<RedisFaultException>(() => ReadAsync([Encoding.Latin1.GetBytes("$500\r\nx")], 200));

        Assert.Equal(RedisFaultKind.Protocol, fault.Fault.Kind);
    }

    private static async Task<IReadOnlyList<string>> ReadAsync(byte[][] parts, int limit = 1 << 20)
    {
        var pipe = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0));
        var collected = new Collector();
        var running = new FrameReader(pipe.Reader, collected, limit).RunAsync();
        foreach (var part in parts) await pipe.Writer.WriteAsync(part);
        await pipe.Writer.CompleteAsync();
        await running;
        return collected.Frames;
    }

    private static ReadOnlySequence<byte> Segments(byte[] bytes, int size)
    {
        var first = new Segment(bytes.AsMemory(0, size), 0);
        var last = first;
        for (var at = size; at < bytes.Length; at += size) last = last.Append(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Collector : IFrameSink
    {
        public List<string> Frames { get; } = [];

        public void Frame(ReadOnlySpan<byte> frame) => Frames.Add(Encoding.Latin1.GetString(frame));

        public void Oversized(long bytes) => Frames.Add($"oversized {bytes}");

        public void EndOfRead()
        {
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long at)
        {
            Memory = memory;
            RunningIndex = at;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}

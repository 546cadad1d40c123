using System.Buffers;
using System.IO.Pipelines;

namespace KeyEvt.Forwarder.Redis;

/// <summary>Which frames come on a connection? The reader never waits for anything but the socket, because Redis disconnects a slow subscriber.</summary>
/// <param name="turn">The lock that is held while a read is handled; null if nothing is shared.</param>
/// <param name="mayTake">Called under the lock before each read is handled. False: the connection no longer counts, and reading ends.</param>
internal sealed class FrameReader(PipeReader input, IFrameSink sink, int maxFrameBytes, Lock? turn = null, Func<bool>? mayTake = null)
{
    /// <summary>A larger buffer is not kept for the next frame.</summary>
    public const int KeptScratch = 1024 * 1024;

    /// <summary>How many bytes are copied beyond those known to be needed, so that a header that is cut in two is not approached byte by byte.</summary>
    private const int Lookahead = 256;

    private readonly Lock _turn = turn ?? new Lock();

    // A frame that lies in more than one segment is copied here.
    private byte[] _scratch = [];
    private long _needed;
    private long _skip;

    /// <summary>Written by the read loop only, with Volatile.Write; read by any thread with Volatile.Read.</summary>
    private long _reads;

    /// <summary>Number of reads that brought bytes, including one that is not handled yet. While it grows, the connection is alive.</summary>
    public long Reads => Volatile.Read(ref _reads);

    /// <summary>Returns when the other side has closed, the pending read is cancelled, or the connection no longer counts.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            var read = await input.ReadAsync().ConfigureAwait(false);
            if (read.IsCanceled) return;

            var left = read.Buffer;
            if (!left.IsEmpty && !Take(ref left)) return;

            input.AdvanceTo(left.Start, left.End);
            if (read.IsCompleted) return;
        }
    }

    private bool Take(ref ReadOnlySequence<byte> buffer)
    {
        Volatile.Write(ref _reads, _reads + 1); // before waiting for the lock, so that its holder can see that there is something to read
        lock (_turn)
        {
            if (mayTake?.Invoke() == false) return false;

            try
            {
                TakeFrames(ref buffer);
            }
            finally
            {
                sink.EndOfRead();
            }
        }

        return true;
    }

    private void TakeFrames(ref ReadOnlySequence<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_skip > 0)
            {
                var skipped = Math.Min(_skip, buffer.Length);
                buffer = buffer.Slice(skipped);
                _skip -= skipped;
                continue;
            }

            if (buffer.Length < _needed) return;

            var taken = TakeContiguous(buffer.FirstSpan, out var size, out var isWhole);
            buffer = buffer.Slice(taken);
            if (!TakeStraddling(ref buffer, size, isWhole)) return;
        }
    }

    /// <summary>Handles all frames that lie whole in this segment.</summary>
    /// <param name="size">The length of the next frame, or a lower bound of it.</param>
    private int TakeContiguous(ReadOnlySpan<byte> segment, out long size, out bool isWhole)
    {
        var taken = 0;
        while ((size = FrameMeter.Measure(segment[taken..], out isWhole)) <= Math.Min(segment.Length - taken, maxFrameBytes))
        {
            sink.Frame(segment.Slice(taken, (int)size));
            taken += (int)size;
        }

        return taken;
    }

    /// <summary>Handles one frame that begins in one segment and ends in another.</summary>
    /// <returns>False if it has not arrived whole.</returns>
    private bool TakeStraddling(ref ReadOnlySequence<byte> buffer, long size, bool isWhole)
    {
        while (size <= maxFrameBytes)
        {
            if (size > buffer.Length)
            {
                _needed = size;
                return false;
            }

            var copied = (int)Math.Min(buffer.Length, size + Lookahead);
            var scratch = Scratch(copied);
            buffer.Slice(0, copied).CopyTo(scratch);
            size = FrameMeter.Measure(scratch, out isWhole);
            if (size <= Math.Min(copied, maxFrameBytes))
            {
                _needed = 0;
                sink.Frame(scratch[..(int)size]);
                buffer = buffer.Slice(size);
                Trim();
                return true;
            }
        }

        if (!isWhole || buffer.FirstSpan[0] != '>')
        {
            throw new RedisFaultException(RedisFaultKind.Protocol, $"the node sent an answer of more than {maxFrameBytes} bytes");
        }

        _needed = 0;
        _skip = size;
        sink.Oversized(size);
        return true;
    }

    private Span<byte> Scratch(int length)
    {
        if (_scratch.Length < length)
        {
            Release();
            _scratch = ArrayPool<byte>.Shared.Rent(length);
        }

        return _scratch.AsSpan(0, length);
    }

    /// <summary>Releases the buffer if one large notification has made it large.</summary>
    private void Trim()
    {
        if (_scratch.Length > KeptScratch) Release();
    }

    private void Release()
    {
        if (_scratch.Length > 0) ArrayPool<byte>.Shared.Return(_scratch);
        _scratch = [];
    }
}

using System.Buffers;
using System.IO.Pipelines;

namespace KeyEvt.Forwarder.Redis;

/// <summary>Which frames does a connection bring? Reads without ever waiting for anything but the socket: a slow subscriber is one that Redis cuts off.</summary>
/// <param name="turn">Held while a read is handled; null: nobody else is there.</param>
/// <param name="mayTake">Asked under it before each read is handled; false: the connection no longer counts, and reading ends.</param>
internal sealed class FrameReader(PipeReader input, IFrameSink sink, int maxFrameBytes, Lock? turn = null, Func<bool>? mayTake = null)
{
    /// <summary>Larger buffers are not kept for the next time.</summary>
    public const int KeptScratch = 1024 * 1024;

    /// <summary>Copied beyond what is known to be needed, so that a header cut in two is not approached byte by byte.</summary>
    private const int Lookahead = 256;

    private readonly Lock _turn = turn ?? new Lock();

    // A frame that lies in more than one segment is copied here.
    private byte[] _scratch = [];
    private long _needed;
    private long _skip;
    private long _reads;

    /// <summary>Reads that brought bytes so far, also one that has not been handled yet: as long as it rises, the connection lives.</summary>
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
        Volatile.Write(ref _reads, _reads + 1); // before the wait for the turn: who has it sees that there is something to read
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

    /// <summary>All frames that lie in this segment from end to end.</summary>
    /// <param name="size">What the next frame has, or at least has.</param>
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

    /// <summary>One frame that begins in one segment and ends in another.</summary>
    /// <returns>False: it has not arrived whole.</returns>
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

    /// <summary>One large notification is no reason to keep its room for ever.</summary>
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

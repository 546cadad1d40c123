using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// How far may the client's bytes be passed on, and what stands there? Copies runs of ordinary requests, and stops at the first that may
/// concern the proxy. Its buffer begins at the first byte that was neither passed on nor taken out.
/// </summary>
internal sealed class RequestRun(RespLimits limits, CandidateFilter filter, PipeWriter upstream)
{
    private readonly RespRequestFramer<CandidateFilter> _framer = new(limits, filter);

    /// <summary>Bytes behind <see cref="_done"/> that the framer has seen and holds back: the head of a request whose name is not all there.</summary>
    private long _held;

    /// <summary>A candidate begins at <see cref="_done"/>.</summary>
    private bool _atCandidate;
    private long _candidateLength;

    /// <summary>Bytes at the buffer's start that may go upstream or are taken out.</summary>
    private long _done;

    /// <summary>Those of them that are written, or taken out.</summary>
    private long _written;

    /// <summary>What a scan of the buffer's first segment has found, or thrown, which the next <see cref="Copy"/> begins with.</summary>
    private FrameStep? _begun;
    private RespProtocolException? _begunFault;

    /// <summary>After <see cref="RunStop.Candidate"/>: take or pass it, then copy on.</summary>
    public RespRequest? Candidate { get; private set; }

    /// <summary>After <see cref="RunStop.Malformed"/>.</summary>
    public RespProtocolException? Fault { get; private set; }

    /// <summary>Written by the request pump; anybody may read it.</summary>
    private long _bytesPassed;

    /// <summary>Bytes of the client that went upstream. From any thread.</summary>
    public long BytesPassed => Volatile.Read(ref _bytesPassed);

    /// <summary>Requests of the client that went upstream. From any thread.</summary>
    public long Requests => _framer.Requests;

    /// <summary>A candidate was too large to be looked at, and is passed as it is. Whoever asks resets it.</summary>
    public bool PassesTooLarge { get; set; }

    /// <summary>No request has been begun that the upstream waits for the rest of.</summary>
    public bool AtRequestBoundary => _framer.AtRequestBoundary;

    /// <summary>After <see cref="RunStop.Malformed"/>: the upstream has got the beginning of the bad request and waits for the rest.</summary>
    public bool BrokeInsideForwarded => _framer.BrokeInsideReleased;

    /// <summary>
    /// For bytes that nothing unread lies in front of. True: all of them may go upstream, and count as written. False: they are still to be given to <see cref="Copy"/>, which
    /// knows what was found.
    /// </summary>
    public bool MayPass(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var step = _framer.Scan(bytes);
            if (step.Released == bytes.Length && step.Stop == FrameStop.NeedMore)
            {
                _bytesPassed += bytes.Length;
                return true;
            }

            _begun = step;
        }
        catch (RespProtocolException e)
        {
            _begunFault = e;
        }

        return false;
    }

    /// <summary>Finds all that may go upstream; <see cref="Advance"/> writes it.</summary>
    public RunStop Copy(in ReadOnlySequence<byte> buffer)
    {
        try
        {
            while (true)
            {
                if (!_atCandidate)
                {
                    var stop = Scan(buffer);
                    if (stop == FrameStop.NeedMore) return RunStop.NeedMore;
                    if (stop == FrameStop.ForeignProtocol) return RunStop.ForeignProtocol;
                    _atCandidate = true;
                }

                var status = _framer.ReadCandidate(buffer.Slice(_done), out var request, out _candidateLength);
                if (status == CandidateStatus.Incomplete) return RunStop.NeedMore;
                Candidate = request;
                if (status == CandidateStatus.Complete) return RunStop.Candidate;
                if (MayBeOwn(buffer.Slice(_done)))
                {
                    throw new RespProtocolException("Protocol error: too big command of key_evt_amqp or MODULE", 0);
                }

                PassesTooLarge = true;
                PassCandidate();
            }
        }
        catch (RespProtocolException e)
        {
            Fault = e;
            _done += e.ReleasedBefore;
            return RunStop.Malformed;
        }
    }

    /// <summary>The candidate is no part of what goes upstream; all in front of it is written.</summary>
    public void TakeCandidate(in ReadOnlySequence<byte> buffer)
    {
        _framer.TakeCandidate();
        Write(buffer);
        _done += _candidateLength;
        _written = _done;
        _atCandidate = false;
    }

    /// <summary>
    /// Writes what may go upstream, and advances the reader behind it; flushing is the caller's. Nearly always that is all that was read: then no byte
    /// is copied.
    /// </summary>
    public void Advance(PipeReader client, in ReadOnlySequence<byte> buffer)
    {
        if (_written == 0 && _done > 0 && _done == buffer.Length)
        {
            _bytesPassed += _done;
            client.Pass(buffer, upstream);
        }
        else
        {
            Write(buffer);
            client.AdvanceTo(buffer.GetPosition(_done), buffer.End);
        }

        _done = _written = 0;
    }

    /// <summary>What stands in front of the candidate is written; what becomes of the candidate is still open.</summary>
    public void WriteInFront(in ReadOnlySequence<byte> buffer) => Write(buffer);

    /// <summary>The candidate is an ordinary request.</summary>
    public void PassCandidate()
    {
        _framer.PassCandidate();
        _atCandidate = false;
    }

    private FrameStop Scan(in ReadOnlySequence<byte> buffer)
    {
        var from = _done + _held;
        var released = 0L;
        var scanned = 0L;
        var stop = FrameStop.NeedMore;
        try
        {
            if (_begunFault is { } fault) throw fault;
            foreach (var segment in buffer.Slice(from))
            {
                var step = _begun ?? _framer.Scan(segment.Span);
                _begun = null;
                scanned += step.Scanned;
                released += step.Released;
                stop = step.Stop;
                if (stop != FrameStop.NeedMore) break;
            }
        }
        finally
        {
            // also in front of a malformed request
            _done += released;
        }

        _held = stop == FrameStop.NeedMore ? from + scanned - _done : 0;
        return stop;
    }

    private void Write(in ReadOnlySequence<byte> buffer)
    {
        if (_done > _written)
        {
            _bytesPassed += _done - _written;
            upstream.TryWrite(buffer.Slice(_written, _done - _written)); // an upstream that takes nothing any more shows at the flush
        }

        _written = _done;
    }

    /// <summary>
    /// Of a multibulk candidate that is too large to hold: key_evt_amqp's or MODULE, whose arguments may hold a password. All others begin with another letter,
    /// and pass: what of CLIENT and CLUSTER is looked at is short, and <see cref="SessionInterceptor.PassesTooLarge"/> sees to the rest. Inline lines are never too large, they
    /// are refused.
    /// </summary>
    private static bool MayBeOwn(in ReadOnlySequence<byte> candidate)
    {
        var head = candidate.Slice(0, Math.Min(64, candidate.Length)).ToArray();
        foreach (var b in head)
        {
            if (char.IsAsciiLetter((char)b)) return (b | 0x20) is 'k' or 'm';
        }

        return true;
    }
}

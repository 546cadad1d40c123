using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// How far may the client's bytes be passed on, and what stands there? Copies runs of ordinary requests, and stops at the first that may concern the proxy. The
/// buffer that its methods get begins at the first byte that was neither passed on nor taken out. Used by the request pump only, but for the two counters.
/// </summary>
internal sealed class RequestRun(RespLimits limits, CandidateFilter filter, PipeWriter upstream)
{
    private readonly RespRequestFramer<CandidateFilter> _framer = new(limits, filter);

    /// <summary>How many bytes behind <see cref="_done"/> the framer has seen and holds back: the head of a request whose name has not come whole.</summary>
    private long _held;

    /// <summary>A candidate begins at <see cref="_done"/>.</summary>
    private bool _atCandidate;
    private long _candidateLength;

    /// <summary>How many bytes at the start of the buffer may go upstream or are taken out.</summary>
    private long _done;

    /// <summary>How many of the <see cref="_done"/> bytes are already written or taken out.</summary>
    private long _written;

    /// <summary>
    /// <see cref="MayPass"/> has scanned the buffer's first segment already: its result, or its exception, with which the next <see cref="Copy"/> begins.
    /// </summary>
    private FrameStep? _begun;
    private RespProtocolException? _begunFault;

    /// <summary>After <see cref="RunStop.Candidate"/>: the request. The caller takes or passes it, and then copies on.</summary>
    public RespRequest? Candidate { get; private set; }

    /// <summary>After <see cref="RunStop.Malformed"/>: what is wrong.</summary>
    public RespProtocolException? Fault { get; private set; }

    /// <summary>Written by the request pump alone; other threads read it by Volatile.</summary>
    private long _bytesPassed;

    /// <summary>How many bytes of the client went upstream. From any thread.</summary>
    public long BytesPassed => Volatile.Read(ref _bytesPassed);

    /// <summary>How many requests of the client went upstream. From any thread.</summary>
    public long Requests => _framer.Requests;

    /// <summary>A candidate was too large to be looked at, and is passed on as it is. The caller sets it back to false.</summary>
    public bool PassesTooLarge { get; set; }

    /// <summary>The upstream has got no request in part.</summary>
    public bool AtRequestBoundary => _framer.AtRequestBoundary;

    /// <summary>After <see cref="RunStop.Malformed"/>: the upstream has got the beginning of the malformed request, and waits for the rest.</summary>
    public bool BrokeInsideForwarded => _framer.BrokeInsideReleased;

    /// <summary>
    /// Looks at bytes when no unread bytes lie in front of them. True: all of them may go upstream, and they count as written. False: they must still be given
    /// to <see cref="Copy"/>, which goes on from what was found here.
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

    /// <summary>Finds out how many of these bytes may go upstream; <see cref="Advance"/> writes them.</summary>
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

    /// <summary>Takes the candidate out: it does not go upstream. Everything in front of it is written.</summary>
    public void TakeCandidate(in ReadOnlySequence<byte> buffer)
    {
        _framer.TakeCandidate();
        Write(buffer);
        _done += _candidateLength;
        _written = _done;
        _atCandidate = false;
    }

    /// <summary>
    /// Writes what may go upstream, and advances the reader behind it. The caller flushes. Nearly always that is everything that was read, and then no byte is
    /// copied.
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

    /// <summary>Writes what stands in front of the candidate; whether the candidate is taken or passed is decided later.</summary>
    public void WriteInFront(in ReadOnlySequence<byte> buffer) => Write(buffer);

    /// <summary>Treats the candidate as an ordinary request.</summary>
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
            // counts also when the next request is malformed
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
            upstream.TryWrite(buffer.Slice(_written, _done - _written)); // if the upstream takes no more bytes, the next flush says so
        }

        _written = _done;
    }

    /// <summary>
    /// Whether a multibulk candidate that is too large to hold may be a key_evt_amqp command or MODULE, whose arguments may hold a password. Told by the first
    /// letter: k or m. All other candidates begin with another letter, except MULTI, which takes no arguments. They pass: the CLIENT and CLUSTER commands that
    /// matter are short, and <see cref="SessionInterceptor.PassesTooLarge"/> handles the others. An inline line never gets here: one that is too long is
    /// refused as malformed.
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

// Where does each request of a client end, what of it may be forwarded, and which request must be held?
using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeyEvt.Resp.Requests;

/// <summary>
/// Reads a client's bytes request by request, in whatever pieces they arrive:
/// <code>
/// request = "*" count CRLF count( "$" length CRLF bytes CRLF )    ; "*0" and any negative count are requests without arguments
///         / line LF                                               ; inline, see InlineLexer; an empty line is one without arguments
/// </code>
/// Only canonical framing is accepted. Redis is laxer: it does not look at the byte behind a header's CR, nor at the bytes behind a body. These bytes
/// are checked here, so that this framer and any Redis see the same commands. Texts and limits are those of <c>networking.c</c> of Redis 7.
/// <para>
/// A request's bytes are held back until its name shows that it is not a candidate. From there on everything valid is released at once, also parts of
/// large bodies. The rest of an inline line is released too, because judging its quotes is left to the server. Only the line of a candidate must be
/// one that all servers read alike.
/// </para>
/// </summary>
/// <remarks>Not thread safe. Allocates only for a candidate.</remarks>
public sealed class RespRequestFramer<TFilter>(RespLimits limits, TFilter filter)
    where TFilter : struct, IRequestFilter
{
    private readonly RequestMachine _machine = new(limits);
#pragma warning disable IDE0044 // A filter may change its own fields. Were this readonly, each call would go to a copy.
    private TFilter _filter = filter;
#pragma warning restore IDE0044
    private Mode _mode;

    /// <summary>Stream offset of the next byte to be scanned. While a candidate is held, the offset of the candidate's first byte.</summary>
    private long _offset;

    /// <summary>Bytes scanned and not yet released.</summary>
    private long _held;

    /// <summary>Bytes of the candidate read so far.</summary>
    private long _candidateRead;

    private RespRequest? _candidate;
    private bool _passNext;

    /// <summary>
    /// Written only by the thread that scans, with a plain increment. Other threads read it with Volatile.Read, through <see cref="Requests"/>.
    /// </summary>
    private long _requests;

    private enum Mode
    {
        Scanning,
        Candidate,
        Ended,
    }

    /// <summary>Compares the bytes read so far, plus those that the current length line announces, with the limit.</summary>
    private bool CandidateIsTooLarge => !_machine.IsInline && _candidateRead + _machine.BodyLeft > limits.MaxCandidateBytes;

    /// <summary>
    /// Number of requests that may be forwarded, counted as soon as their name is known. Requests without arguments are not counted. May be read from
    /// any thread.
    /// </summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Whether the next byte begins a new request.</summary>
    public bool AtRequestBoundary => _mode == Mode.Scanning && _machine.AtBoundary;

    /// <summary>
    /// After a protocol error: whether a part of the bad request had already been released. The server that got this part waits for the rest, and
    /// would take whatever is sent next for it.
    /// </summary>
    public bool BrokeInsideReleased { get; private set; }

    /// <summary>
    /// Reads the next bytes of the stream; each byte is passed in exactly once. After <see cref="FrameStop.Candidate"/> call
    /// <see cref="ReadCandidate"/>, and then <see cref="TakeCandidate"/> or <see cref="PassCandidate"/>. After
    /// <see cref="FrameStop.ForeignProtocol"/> or an exception, call nothing more.
    /// </summary>
    /// <exception cref="RespProtocolException">The bytes are not a canonical request.</exception>
    public FrameStep Scan(ReadOnlySpan<byte> bytes)
    {
        if (_mode != Mode.Scanning) ThrowNotScanning();

        // Index of the current request's first byte in the span, or -1 if it lies in an earlier span.
        var requestStart = _machine.AtBoundary ? 0 : -1;
        var partIsReleased = _machine.IsInNamedRequest;
        var position = 0;
        _machine.ValidTo = requestStart;
        while (position < bytes.Length)
        {
            if (_machine.AtBoundary)
            {
                requestStart = position;
                if (!_passNext)
                {
                    position = SkipWholeRequests(bytes, position, out requestStart, out var isCandidate);
                    if (isCandidate) return new FrameStep(position, StopAt(requestStart, Mode.Candidate), FrameStop.Candidate);
                }

                _machine.ValidTo = position;
                if (position == bytes.Length) break;
            }

            var stop = _machine.Advance(bytes, ref position);
            if (stop == MachineStop.None) continue;
            if (stop == MachineStop.Malformed)
            {
                BrokeInsideReleased = partIsReleased && requestStart < 0;
                ThrowMalformed(_machine.Error, position, ReleasedInFrontOf(requestStart));
            }

            if (CommandNameHead.IsForeignProtocol(_machine.NameHead))
            {
                return new FrameStep(position, StopAt(requestStart, Mode.Ended), FrameStop.ForeignProtocol);
            }

            if (_filter.IsCandidate(_machine.NameHead, _machine.NameLength, _machine.ArgumentCount) && !_passNext)
            {
                return new FrameStep(position, StopAt(requestStart, Mode.Candidate), FrameStop.Candidate);
            }

            _passNext &= _machine.MayTellAnotherName;
            if (!_machine.MayTellAnotherName) _requests++;
        }

        var released = ReleasedInFrontOf(_machine.ValidTo);
        _held += position - released;
        _offset += position;
        return new FrameStep(position, released, FrameStop.NeedMore);
    }

    /// <summary>
    /// Reads the candidate. Pass in everything that has arrived from the candidate's first byte on. While the result is
    /// <see cref="CandidateStatus.Incomplete"/>, call again with more. Bytes that were read before are not read again, and bytes behind the candidate
    /// are not looked at.
    /// </summary>
    /// <param name="bytes">The stream from the candidate's first byte on.</param>
    /// <param name="request">The request, if complete.</param>
    /// <param name="length">Bytes of the request, if complete.</param>
    /// <exception cref="RespProtocolException">The bytes are not a canonical request.</exception>
    public CandidateStatus ReadCandidate(in ReadOnlySequence<byte> bytes, out RespRequest? request, out long length)
    {
        if (_mode != Mode.Candidate) ThrowNoCandidate();

        foreach (var memory in bytes.Slice(_candidateRead))
        {
            if (_candidate is not null || CandidateIsTooLarge) break;
            var position = 0;
            while (position < memory.Length)
            {
                if (_machine.Advance(memory.Span, ref position) == MachineStop.Malformed)
                {
                    ThrowMalformed(_machine.Error, _candidateRead + position, releasedBefore: 0);
                }

                if (_machine.AtBoundary) break;
            }

            _candidateRead += position;
            if (_machine.AtBoundary && !CandidateIsTooLarge && _candidateRead > 0)
            {
                _candidate = TakeApart(bytes.Slice(0, _candidateRead).ToArray());
            }
        }

        request = _candidate;
        length = _candidate is null ? 0 : _candidateRead;
        if (_candidate is not null) return CandidateStatus.Complete;
        return CandidateIsTooLarge ? CandidateStatus.TooLarge : CandidateStatus.Incomplete;
    }

    /// <summary>Removes the complete candidate from the stream that is forwarded. The next scan begins behind it.</summary>
    public void TakeCandidate()
    {
        if (_candidate is null) ThrowNoCandidate();
        _offset += _candidateRead;
        EndCandidate();
    }

    /// <summary>
    /// Treats the candidate, complete or not, as an ordinary request. The next scan begins at its first byte; it asks the filter again, but does not
    /// stop at this request.
    /// </summary>
    public void PassCandidate()
    {
        if (_mode != Mode.Candidate) ThrowNoCandidate();
        _passNext = true;
        EndCandidate();
    }

    /// <summary>
    /// The fast path: skips requests of up to 99 arguments that lie whole in the span. Returns the index where it stopped. This is the start of a
    /// request that is a candidate or must be read by the machine. Or it is the start of an argument; then the machine already knows the request.
    /// </summary>
    private int SkipWholeRequests(ReadOnlySpan<byte> bytes, int position, out int requestStart, out bool isCandidate)
    {
        isCandidate = false;
        var maxBody = _machine.ContiguousBodyLimit;
        var maxCount = Math.Min(limits.MaxArguments, ContiguousRequest.MaxArguments);
        while (true)
        {
            requestStart = position;
            var next = ContiguousRequest.SkipCount(bytes, position, out var count);
            if (next < 0 || count > maxCount) return position;

            next = ContiguousArgument.Skip(bytes, next, maxBody, out var name);
            if (next < 0) return position;
            var nameLength = next - 2 - name;
            var nameHead = MemoryMarshal.CreateReadOnlySpan(
                ref Unsafe.Add(ref MemoryMarshal.GetReference(bytes), name), Math.Min(nameLength, CommandNameHead.Capacity));
            if (ContiguousRequest.MayBeForeign(bytes, name, nameLength)) return position;
            isCandidate = _filter.IsCandidate(nameHead, nameLength, count);
            if (isCandidate) return position;

            for (var left = count - 1; left > 0; left--)
            {
                var behind = ContiguousArgument.Skip(bytes, next, maxBody, out _);
                if (behind < 0)
                {
                    _requests++;
                    _machine.EnterArguments(left);
                    return next;
                }

                next = behind;
            }

            _requests++;
            position = next;
        }
    }

    /// <summary>Number of bytes not yet released in front of an index of the span; 0 if the index is -1.</summary>
    private long ReleasedInFrontOf(int index) => index < 0 ? 0 : _held + index;

    /// <summary>Ends the scan in front of the current request. Returns how many bytes are released.</summary>
    private long StopAt(int requestStart, Mode mode)
    {
        var released = ReleasedInFrontOf(requestStart);
        _offset += requestStart < 0 ? -_held : requestStart;
        _held = 0;
        _mode = mode;
        _machine.Reset();
        _machine.IsHeld = mode == Mode.Candidate;
        return released;
    }

    private RespRequest TakeApart(byte[] frame)
    {
        if (!_machine.IsInline) return RespRequest.FromMultibulk(frame);
        if (RespRequest.FromInline(frame) is { } request) return request;
        ThrowMalformed(RequestErrors.UnbalancedQuotes, frame.Length - 1, releasedBefore: 0);
        return null;
    }

    private void EndCandidate()
    {
        _mode = Mode.Scanning;
        _machine.IsHeld = false;
        _candidate = null;
        _candidateRead = 0;
        _machine.Reset();
    }

    [DoesNotReturn]
    private void ThrowMalformed(string error, long index, long releasedBefore)
    {
        _mode = Mode.Ended;
        throw new RespProtocolException(error, _offset + index, releasedBefore);
    }

    [DoesNotReturn]
    private void ThrowNotScanning() =>
        throw new InvalidOperationException(_mode == Mode.Candidate
            ? "A candidate waits to be taken or passed."
            : "The stream ended with a protocol error or a foreign protocol.");

    [DoesNotReturn]
    private static void ThrowNoCandidate() => throw new InvalidOperationException("There is no candidate to read, take or pass.");
}

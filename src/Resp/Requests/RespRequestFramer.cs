// Where does each request of a client end, what of it may be forwarded, and which one must be held?
using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeyEvt.Resp.Requests;

/// <summary>
/// Runs over a client's bytes, request by request, in whatever pieces they arrive:
/// <code>
/// request = "*" count CRLF count( "$" length CRLF bytes CRLF )    ; "*0" and any negative count are requests without arguments
///         / line LF                                               ; inline, see InlineLexer; an empty line is one without arguments
/// </code>
/// Canonical framing only: where Redis is laxer (it does not look at the bytes behind a CR or a body), these bytes are refused, so that
/// this framer and any Redis see the same commands. Texts and limits are those of <c>networking.c</c> of Redis 7.
/// <para>
/// A request's bytes are held back until its name is known not to be a candidate's; from there on everything valid is released at once,
/// large bodies too, and the rest of an inline line, whose quotes are for the server to judge. Only a candidate's line must be one that all servers read alike.
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

    /// <summary>Position in the stream of the next byte to be scanned; while there is a candidate, of its first byte.</summary>
    private long _offset;

    /// <summary>Bytes scanned and not yet released.</summary>
    private long _held;

    /// <summary>Bytes of the candidate that have been read.</summary>
    private long _candidateRead;

    private RespRequest? _candidate;
    private bool _passNext;

    /// <summary>Written by whoever scans; anybody may read it.</summary>
    private long _requests;

    private enum Mode
    {
        Scanning,
        Candidate,
        Ended,
    }

    /// <summary>What has been read of the candidate, and what is certainly due of it.</summary>
    private bool CandidateIsTooLarge => !_machine.IsInline && _candidateRead + _machine.BodyLeft > limits.MaxCandidateBytes;

    /// <summary>Requests so far that may be forwarded, counted when their name is known. Those without arguments are none. From any thread.</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Whether no request has been begun.</summary>
    public bool AtRequestBoundary => _mode == Mode.Scanning && _machine.AtBoundary;

    /// <summary>
    /// At a protocol error: a part of the bad request was released before it was found bad. Whoever got it waits for the rest, and would take whatever comes
    /// next for it.
    /// </summary>
    public bool BrokeInsideReleased { get; private set; }

    /// <summary>
    /// Takes in the next bytes of the stream; each byte is given exactly once. After <see cref="FrameStop.Candidate"/> come
    /// <see cref="ReadCandidate"/>, then <see cref="TakeCandidate"/> or <see cref="PassCandidate"/>. After
    /// <see cref="FrameStop.ForeignProtocol"/>, or an exception, nothing may follow.
    /// </summary>
    /// <exception cref="RespProtocolException">The bytes are no canonical request.</exception>
    public FrameStep Scan(ReadOnlySpan<byte> bytes)
    {
        if (_mode != Mode.Scanning) ThrowNotScanning();

        // Index in the span of the current request's first byte; -1 when that lies in an earlier span.
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
    /// Reads the candidate. Called with all of the stream from the candidate's first byte that has arrived, again with more of it while it is
    /// <see cref="CandidateStatus.Incomplete"/>; what has been read is not read again. What follows the candidate is not looked at.
    /// </summary>
    /// <param name="bytes">The stream from the candidate's first byte.</param>
    /// <param name="request">The request, when complete.</param>
    /// <param name="length">Bytes of the request, when complete.</param>
    /// <exception cref="RespProtocolException">The bytes are no canonical request.</exception>
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

    /// <summary>The complete candidate is not part of the stream that is forwarded; the next scan begins behind it.</summary>
    public void TakeCandidate()
    {
        if (_candidate is null) ThrowNoCandidate();
        _offset += _candidateRead;
        EndCandidate();
    }

    /// <summary>The candidate, complete or not, is an ordinary request: the next scan begins at its first byte, asks the filter again and does not stop at it.</summary>
    public void PassCandidate()
    {
        if (_mode != Mode.Candidate) ThrowNoCandidate();
        _passNext = true;
        EndCandidate();
    }

    /// <summary>
    /// The fast path: requests that lie whole in the span, of up to 99 arguments. Returns where it stopped: in front of
    /// a request that is a candidate or is for the machine, or, with the machine told so, in front of an argument.
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

    /// <summary>Bytes not yet released that lie in front of an index of the span; none when the index is -1.</summary>
    private long ReleasedInFrontOf(int index) => index < 0 ? 0 : _held + index;

    /// <summary>Ends the scan in front of the current request; returns what is released.</summary>
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

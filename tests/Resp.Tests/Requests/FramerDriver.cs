// What does a session see of a stream that goes through the framer?
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

/// <summary>A held request and whether it was taken out of the stream.</summary>
internal sealed record Held(string[] Arguments, bool IsInline, int Length, bool Taken);

/// <summary>
/// Uses the framer as a session does: keeps what is not released, forwards what is, collects candidates. Takes <c>key_evt_amqp.</c> requests, passes
/// all other candidates and those that are too large.
/// </summary>
internal sealed class FramerDriver
{
    private readonly RespRequestFramer<RecordingFilter> _framer;
    private readonly int _segmentSize;
    private readonly List<byte> _pending = [];
    private int _scanned;
    private bool _inCandidate;

    public FramerDriver(RespLimits? limits = null, int segmentSize = 7)
    {
        _framer = new RespRequestFramer<RecordingFilter>(limits ?? RespLimits.Default, new RecordingFilter(Asked));
        _segmentSize = segmentSize;
    }

    public RespRequestFramer<RecordingFilter> Framer => _framer;

    public List<byte> Forwarded { get; } = [];

    public List<Held> Candidates { get; } = [];

    public List<Asked> Asked { get; } = [];

    public int TooLarge { get; private set; }

    public bool Foreign { get; private set; }

    public RespProtocolException? Error { get; private set; }

    public bool Ended => Foreign || Error is not null;

    public int PendingCount => _pending.Count;

    public static FramerDriver Run(byte[] stream, IEnumerable<int> cuts, RespLimits? limits = null)
    {
        var driver = new FramerDriver(limits);
        foreach (var piece in Cuts.Apply(stream, cuts)) driver.Feed(piece);
        return driver;
    }

    public void Feed(byte[] piece)
    {
        if (Ended) return;
        _pending.AddRange(piece);
        try
        {
            while (_inCandidate ? ReadCandidate() : ScanPending())
            {
            }
        }
        catch (RespProtocolException e)
        {
            Error = e;
            Release(e.ReleasedBefore);
        }
    }

    /// <summary>True when there is more to do.</summary>
    private bool ScanPending()
    {
        if (_scanned == _pending.Count) return false;
        var step = _framer.Scan(_pending.ToArray().AsSpan(_scanned));
        _scanned += step.Scanned;
        Release(step.Released);
        if (step.Stop == FrameStop.NeedMore) Assert.Equal(_pending.Count, _scanned);
        Foreign = step.Stop == FrameStop.ForeignProtocol;
        _inCandidate = step.Stop == FrameStop.Candidate;
        return _inCandidate;
    }

    private bool ReadCandidate()
    {
        var status = _framer.ReadCandidate(Segments.Of([.. _pending], _segmentSize), out var request, out var length);
        if (status == CandidateStatus.Incomplete)
        {
            Assert.Null(request);
            return false;
        }

        var isTaken = false;
        if (status == CandidateStatus.Complete)
        {
            var arguments = Enumerable.Range(0, request!.Count).Select(i => Latin1.Text(request[i].Span)).ToArray();
            isTaken = arguments[0].StartsWith("key_evt_amqp.", StringComparison.OrdinalIgnoreCase);
            Candidates.Add(new Held(arguments, request.IsInline, (int)length, isTaken));
        }
        else
        {
            TooLarge++;
        }

        if (isTaken)
        {
            _framer.TakeCandidate();
            _pending.RemoveRange(0, (int)length);
        }
        else
        {
            _framer.PassCandidate();
            Asked.RemoveAt(Asked.Count - 1); // it is asked again
        }

        _scanned = 0;
        _inCandidate = false;
        return true;
    }

    private void Release(long count)
    {
        Forwarded.AddRange(_pending[..(int)count]);
        _pending.RemoveRange(0, (int)count);
        _scanned -= (int)count;
    }
}

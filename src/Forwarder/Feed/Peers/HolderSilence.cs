using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>For how long has the holder said nothing, although it should have? And is that its own silence, or that of the stream?</summary>
/// <remarks>
/// The holder marks four times a second while events come, and once a second without. A member whose own mark has come back meanwhile hears the stream,
/// so the holder does not speak. A node that was busy answers in any order, so the holder gets a moment more. Used under the lock of the feed.
/// </remarks>
internal sealed class HolderSilence(MemberTimes times, TimeProvider time)
{
    private long _heardAt;
    private long _firstEventSince; // the first event that was noticed since the holder was heard; 0: none
    private long _ownSaidAt;       // when the own message was said that came back last
    private long _ownBackAt;

    /// <summary>Timestamp of the last word of the holder; 0: it has said nothing yet.</summary>
    public long HeardAt => _heardAt;

    public void Begin() => (_heardAt, _firstEventSince, _ownSaidAt, _ownBackAt) = (0, 0, 0, 0);

    public void HolderHeard(long now) => (_heardAt, _firstEventSince) = (now, 0);

    public void EventNoticed(long now) => _firstEventSince = _firstEventSince == 0 ? now : _firstEventSince;

    public void OwnHeard(ClockReading saidAt, long now) => (_ownSaidAt, _ownBackAt) = (saidAt.Timestamp, now);

    /// <summary>Whether it is time to ask the stream itself, by a mark.</summary>
    public bool IsProbeDue(long now) => IsLasting(times.Probe, now) && _ownSaidAt < ProbeFrom();

    /// <summary>Whether the holder has been silent for so long, and the stream was heard meanwhile.</summary>
    public bool IsProved(TimeSpan span, long now) => IsLasting(span, now) && _ownSaidAt >= ProbeFrom() && now - _ownBackAt >= Ticks(times.ProbeGrace);

    private bool IsLasting(TimeSpan span, long now) => now - Since() >= Ticks(span);

    /// <summary>Since when a mark is overdue: events have come, or a quiet holder's next mark was due.</summary>
    private long Since()
    {
        var quiet = _heardAt + Ticks(times.Quiet + (times.HolderFlowing / 2));
        return _firstEventSince == 0 ? quiet : Math.Min(Math.Max(_firstEventSince, _heardAt), quiet);
    }

    /// <summary>A message that was said then or later, and came back, proves that the silence is the holder's.</summary>
    private long ProbeFrom() => Since() + Ticks(times.Probe);

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}

using System.Globalization;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What was delivery told about the office of the holder?</summary>
internal sealed class RecordingDuties : IHolderDuties
{
    private readonly List<string> _told = [];

    public bool IsBrokerThere { get; set; } = true;

    public (long Timestamp, long Term)? Fenced { get; set; }

    public IReadOnlyList<string> Told
    {
        get
        {
            lock (_told) return [.. _told];
        }
    }

    public void Hold(long term) => Add(string.Create(CultureInfo.InvariantCulture, $"hold {term}"));

    public void HandOver() => Add("hand over");

    private void Add(string what)
    {
        lock (_told) _told.Add(what);
    }
}

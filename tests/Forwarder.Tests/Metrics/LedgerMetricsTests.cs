using System.Diagnostics.Metrics;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Metrics;

/// <summary>Do the metrics say what the ledger says?</summary>
public sealed class LedgerMetricsTests : IDisposable
{
    private readonly Meter _meter = new("test");

    public void Dispose() => _meter.Dispose();

    [Fact]
    public void Every_field_of_the_ledger_has_its_series()
    {
        var ledger = new Ledger();
        LedgerMetrics.Add(_meter, ledger);
        for (var i = 0; i < 10; i++) ledger.Accepted();
        ledger.Filtered();
        ledger.Adopted(4);
        ledger.Settled(WaitingPlace.Memory, Settlement.Confirmed);
        ledger.Settled(WaitingPlace.Memory, Settlement.Stored);
        ledger.DroppedFromFallback(DropReason.FallbackLost, 2);
        ledger.Settled(WaitingPlace.Memory, Settlement.HandedOver);
        ledger.HandedOver(WaitingPlace.Memory, 2);
        ledger.HandedOverFromFallback(1);

        var seen = new MeterReader(_meter);
        Assert.Equal(11, seen.Read("keyevt.events.received"));
        Assert.Equal(1, seen.Read("keyevt.events.filtered"));
        Assert.Equal(4, seen.Read("keyevt.events.adopted"));
        Assert.Equal(1, seen.Read("keyevt.events.confirmed"));
        Assert.Equal(5, seen.Read("keyevt.events.waiting", ("place", "memory")));
        Assert.Equal(2, seen.Read("keyevt.events.waiting", ("place", "fallback")));
        Assert.Equal(4, seen.Read("keyevt.events.handed_over"));
        Assert.Equal(2, seen.Read("keyevt.events.dropped", ("reason", "fallback_lost")));
        Assert.Equal(0, seen.Read("keyevt.events.dropped", ("reason", "memory_full")));
        Assert.Equal(0, seen.Read("keyevt.events.unaccounted"));
        Assert.All(Enum.GetValues<DropReason>(), reason => Assert.NotNull(seen.Read("keyevt.events.dropped", ("reason", LabelText.Of(reason)))));
    }
}

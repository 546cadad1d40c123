using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Which events does an answer of the broker settle, whatever tag it names?</summary>
public sealed class InFlightTests
{
    private readonly EventLog _log = new(new Ledger(), WaitingPlace.Memory, long.MaxValue);
    private readonly InFlight _inFlight = new(window: 4);

    [Fact]
    public void A_tag_is_taken_once_and_only_if_it_was_published()
    {
        for (var n = 0; n < 3; n++) Publish();
        Assert.True(_inFlight.TryTake(2, out var second));
        Assert.Equal(1, second.Sequence);
        foreach (var tag in (ulong[])[0, 2, 4, ulong.MaxValue]) Assert.False(_inFlight.TryTake(tag, out _));
        Assert.Equal(2, _inFlight.Count);
        Assert.True(_inFlight.TryTake(3, out _) && _inFlight.TryTake(1, out _));
        Assert.False(_inFlight.TryTakeUpTo(3, out _));
        Assert.Equal((0, 0L), (_inFlight.Count, _inFlight.Bytes));
    }

    [Fact]
    public void All_up_to_a_tag_are_taken_in_their_order_and_none_behind_it()
    {
        for (var n = 0; n < 4; n++) Publish();
        Assert.True(_inFlight.TryTake(2, out _));
        List<long> taken = [];
        while (_inFlight.TryTakeUpTo(3, out var slot)) taken.Add(slot.Sequence);
        Assert.Equal([0, 2], taken);
        Assert.Equal(1, _inFlight.Count);
    }

    [Fact]
    public void One_late_tag_does_not_stop_the_others_until_the_ring_is_full()
    {
        for (var tag = 1UL; tag <= 8; tag++)
        {
            Assert.True(_inFlight.HasRoom);
            Publish();
            if (tag > 1) Assert.True(_inFlight.TryTake(tag, out _));
        }

        Assert.False(_inFlight.HasRoom); // twice the window from the oldest one on
        Assert.True(_inFlight.TryTake(1, out _));
        Assert.True(_inFlight.HasRoom);
    }

    private void Publish()
    {
        _log.Append("0\nset\nk"u8, 0, 7);
        Assert.True(_log.TryClaim(out var entry));
        _inFlight.Add(_log, entry, default, 0, isDeadLetter: false);
    }
}

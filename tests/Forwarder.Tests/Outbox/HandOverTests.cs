using System.Text;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Outbox;

/// <summary>What leaves the log when another member of the group delivers from a place on?</summary>
public sealed class HandOverTests
{
    private readonly Ledger _ledger = new();
    private readonly EventLog _log;

    public HandOverTests() => _log = new EventLog(_ledger, WaitingPlace.Memory, long.MaxValue);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 1)] // one of the two is confirmed
    [InlineData(3, 2)]
    [InlineData(5, 4)]
    [InlineData(99, 4)] // there are not so many
    public void Everything_before_the_place_leaves_whether_it_is_claimed_or_not(long before, long count)
    {
        for (var i = 0; i < 5; i++) Append($"e{i}");
        for (var i = 0; i < 3; i++) Assert.True(_log.TryClaim(out _));
        _log.Settle(1, Settlement.Confirmed);
        Assert.Equal(count, _log.HandOver(before));
        var now = _ledger.Snapshot();
        Assert.Equal((count, 4 - count, 1L, 0L), (now.HandedOver, now.WaitingMemory, now.Confirmed, now.Difference));
        Assert.Equal(4 - count, _log.Count);
        Assert.Equal((4 - count) * (2 + EventLog.EntryOverhead), _log.Bytes);
    }

    [Fact]
    public void What_stays_is_handed_out_and_settled_as_ever()
    {
        for (var i = 0; i < 4; i++) Append($"e{i}");
        for (var i = 0; i < 3; i++) Assert.True(_log.TryClaim(out _));
        _log.HandOver(2);
        Assert.Equal(2, _log.Head);
        Assert.False(_log.Settle(0, Settlement.Confirmed)); // the broker's word comes too late
        Assert.True(_log.TryClaim(out var next));
        Assert.Equal(3, next.Sequence);
        _log.UnclaimAll();
        Assert.True(_log.TryClaim(out var oldest));
        Assert.Equal((2L, "e2"), (oldest.Sequence, Encoding.UTF8.GetString(oldest.Stored.Span)));
        Assert.True(_log.Settle(2, Settlement.Confirmed));
        Assert.Equal((2L, 1L, 0L), (_ledger.Snapshot().HandedOver, _ledger.Snapshot().Confirmed, _ledger.Snapshot().Difference));
    }

    [Fact]
    public void Twice_is_like_once_and_the_log_goes_on_behind_it()
    {
        for (var i = 0; i < 3000; i++) Append("x");
        Assert.Equal(3000, _log.HandOver(_log.Tail));
        Assert.Equal(0, _log.HandOver(_log.Tail));
        Assert.True(_log.IsEmpty);
        Assert.False(_log.HasUnclaimed);
        Assert.Equal((3000L, 0L), (_log.Head, _log.Bytes));
        Append("new");
        Assert.True(_log.TryClaim(out var entry));
        Assert.Equal((3000L, "new"), (entry.Sequence, Encoding.UTF8.GetString(entry.Stored.Span)));
    }

    [Fact]
    public void The_message_of_an_own_gap_stays_as_no_other_member_has_it()
    {
        Append("\u0001event-id\n0\nset\nk");
        Append("\u0001gap-a-1-0000000000000abc-5-0\n{}");
        Append("\u0001event-id\n0\nset\nk");
        for (var i = 0; i < 3; i++) Assert.True(_log.TryClaim(out _));
        Assert.Equal(2, _log.HandOver(_log.Tail));
        Assert.True(_log.TryClaim(out var gap)); // although it was sent before
        Assert.Equal((1L, 1L), (gap.Sequence, _log.Count));
        Assert.False(_log.TryClaim(out _));
    }

    private void Append(string text)
    {
        _ledger.Accepted();
        _log.Append(Encoding.UTF8.GetBytes(text), 0, 0);
    }
}

using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Outbox;

/// <summary>Which events are handed out, in which order, and what does the ledger say of them?</summary>
public sealed class EventLogTests
{
    private readonly Ledger _ledger = new();

    [Fact]
    public void The_oldest_that_are_not_settled_are_handed_out_again_in_order()
    {
        var log = Filled("a", "b", "c", "d");
        Assert.Equal(["a", "b", "c"], Claim(log, 3));
        Assert.True(log.Settle(1, Settlement.Confirmed));
        log.UnclaimAll();
        Assert.Equal(["a", "c", "d"], Claim(log, 4));
        Assert.Equal((3, 4, 0), (log.Count, log.Tail, log.Head));
    }

    [Fact]
    public void Settling_the_oldest_does_not_hand_out_anew_what_is_claimed_behind_it()
    {
        var log = Filled("a", "b", "c", "d");
        Claim(log, 3);
        log.Settle(0, Settlement.Confirmed);
        Assert.Equal(1, log.Head);
        Assert.Equal(["d"], Claim(log, 4));
        Assert.False(log.HasUnclaimed);
    }

    [Fact]
    public void What_was_claimed_last_can_be_handed_out_once_more()
    {
        var log = Filled("a", "b", "c");
        Claim(log, 2);
        log.Unclaim(1);
        Assert.Equal(["b", "c"], Claim(log, 3));
        log.Settle(0, Settlement.Confirmed);
        log.Unclaim(0); // settled: the oldest that is there
        Assert.Equal(["b", "c"], Claim(log, 3));
    }

    [Fact]
    public void An_event_is_settled_once_whatever_else_is_still_unsettled()
    {
        var log = Filled("a", "b", "c");
        Claim(log, 3);
        Assert.True(log.Settle(1, Settlement.Confirmed));
        Assert.False(log.Settle(1, Settlement.Confirmed));
        Assert.True(log.Settle(0, Settlement.Confirmed));
        Assert.False(log.Settle(0, Settlement.Confirmed));
        for (var none = 3; none < 5000; none++) Assert.False(log.Settle(none, Settlement.Confirmed)); // there is no such one yet
        Assert.Equal((2, 1, 1), (_ledger.Snapshot().Confirmed, log.Count, _ledger.Snapshot().WaitingMemory));
    }

    [Fact]
    public void The_bound_counts_the_bytes_of_each_event_and_its_overhead_and_the_oldest_unclaimed_gives_way()
    {
        var log = new EventLog(_ledger, WaitingPlace.Memory, maxBytes: 3 * (10 + EventLog.EntryOverhead));
        Append(log, "0123456789");
        Append(log, "bbbbbbbbbb");
        Append(log, "cccccccccc");
        Assert.Equal((3, log.MaxBytes), (log.Count, log.Bytes));
        Claim(log, 1);
        Append(log, "d");
        Assert.Equal(["cccccccccc", "d"], Claim(log, 3)); // the oldest is with the broker, so the next one had to go
        Assert.Equal(1, _ledger.Dropped(DropReason.MemoryFull));
        for (var i = 0; i < 4; i++) log.Settle(i, Settlement.Confirmed);
        Assert.Equal((0, 0, true), (log.Bytes, log.Count, log.IsEmpty));
    }

    [Fact]
    public void Of_many_that_gave_way_none_is_handed_out()
    {
        var log = new EventLog(_ledger, WaitingPlace.Memory, maxBytes: 3 * (1 + EventLog.EntryOverhead));
        for (var i = 0; i < 5000; i++)
        {
            Append(log, "a");
            Assert.Equal(Math.Max(0, i - 2), log.Head);
        }

        for (var i = 4997; i < 5000; i++)
        {
            Assert.True(log.TryClaim(out var entry));
            Assert.Equal(i, entry.Sequence);
        }

        Assert.False(log.TryClaim(out _));
    }

    [Fact]
    public void An_event_composed_in_place_is_bounded_like_any_other()
    {
        var log = new EventLog(_ledger, WaitingPlace.Memory, maxBytes: 2 * (1 + EventLog.EntryOverhead));
        for (var i = 0; i < 3; i++)
        {
            _ledger.Accepted();
            log.Append(1, 0, 7, (byte)('a' + i), static (destination, in state) => destination[0] = state);
            Assert.Equal(i < 2 ? i + 1 : 2, log.Count);
        }

        Assert.Equal(["b", "c"], Claim(log, 3));
    }

    [Fact]
    public void Refusals_are_counted_for_each_event_and_a_place_used_again_begins_at_none()
    {
        var log = Filled("a");
        log.CountAttempt(0);
        log.CountAttempt(0);
        log.CountAttempt(1); // not there
        Assert.True(log.TryClaim(out var entry));
        Assert.Equal((0L, 2), (entry.Sequence, entry.Attempts));
        log.Settle(0, Settlement.Confirmed);
        log.CountAttempt(0);
        for (var i = 1; i <= 1024; i++) // the ring's first size: the last one has the place of the first
        {
            Append(log, "x");
            Assert.True(log.TryClaim(out entry));
            Assert.Equal((i, 0), (entry.Sequence, entry.Attempts));
            log.Settle(i, Settlement.Confirmed);
        }
    }

    [Theory]
    [InlineData(0, 9, 3)]
    [InlineData(2, 9, 1)]
    [InlineData(3, 9, 0)]
    [InlineData(0, 1, 2)]
    [InlineData(5, 9, 0)]
    public void How_many_are_settled_from_one_on_ends_at_the_first_that_is_not(long first, long last, long expected)
    {
        var log = Filled("a", "b", "c", "d", "e");
        foreach (var sequence in (long[])[0, 1, 2, 4]) log.Settle(sequence, Settlement.Stored);
        Assert.Equal(expected, log.SettledFrom(first, last));
    }

    /// <summary>Random steps, compared with a list that is searched from its beginning.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_order_of_steps_gives_what_a_plain_list_gives(int seed)
    {
        var random = new Random(seed);
        var log = new EventLog(_ledger, WaitingPlace.Memory, maxBytes: long.MaxValue);
        var waiting = new SortedDictionary<long, (string Text, bool IsClaimed)>();
        for (var step = 0; step < 20_000; step++)
        {
            switch (random.Next(10))
            {
                case < 5:
                    var text = new string((char)('a' + (step % 26)), random.Next(0, step % 100 == 0 ? 30_000 : 40));
                    waiting.Add(Append(log, text), (text, false));
                    break;
                case < 7:
                    var oldest = waiting.FirstOrDefault(one => !one.Value.IsClaimed);
                    Assert.Equal(waiting.Any(one => !one.Value.IsClaimed), log.TryClaim(out var entry));
                    if (oldest.Value.Text is null) break;
                    Assert.Equal((oldest.Key, oldest.Value.Text), (entry.Sequence, Encoding.ASCII.GetString(entry.Stored.Span)));
                    waiting[oldest.Key] = (oldest.Value.Text, true);
                    break;
                case < 9:
                    var claimed = waiting.Where(one => one.Value.IsClaimed).Select(one => one.Key).ToList();
                    if (claimed.Count == 0) break;
                    var settled = claimed[random.Next(claimed.Count)];
                    Assert.True(log.Settle(settled, Settlement.Confirmed));
                    waiting.Remove(settled);
                    break;
                default:
                    if (random.Next(20) > 0) break;
                    log.UnclaimAll();
                    foreach (var key in waiting.Keys.ToList()) waiting[key] = (waiting[key].Text, false);
                    break;
            }

            Assert.Equal(waiting.Count, log.Count);
            Assert.Equal(waiting.Values.Sum(one => (long)one.Text.Length + EventLog.EntryOverhead), log.Bytes);
            Assert.Equal(waiting.Count > 0 ? waiting.Keys.First() : log.Tail, log.Head);
        }
    }

    private EventLog Filled(params string[] events)
    {
        var log = new EventLog(_ledger, WaitingPlace.Memory, maxBytes: 1 << 20);
        for (var i = 0; i < events.Length; i++) Assert.Equal(i, Append(log, events[i]));
        return log;
    }

    private long Append(EventLog log, string text)
    {
        _ledger.Accepted();
        return log.Append(Encoding.ASCII.GetBytes(text), 0, 7);
    }

    /// <summary>The texts of what is handed out, at most so many.</summary>
    private static List<string> Claim(EventLog log, int count)
    {
        var texts = new List<string>();
        while (texts.Count < count && log.TryClaim(out var entry))
        {
            Assert.Equal("7", entry.UnixMilliseconds.ToString(CultureInfo.InvariantCulture));
            texts.Add(Encoding.ASCII.GetString(entry.Stored.Span));
        }

        return texts;
    }
}

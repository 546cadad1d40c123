using System.Text;
using KeyEvt.Forwarder.Delivery.Stores;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>
/// What do the books make of a store that is not as it should be? The store holds e0, e1 ...; the first ones have been read and are being sent.
/// </summary>
public sealed class StoreAccountingTests
{
    private readonly Ledger _ledger = new();
    private readonly EventLog _drain;
    private readonly StoreAccounting _books;
    private readonly List<string> _store = [];

    public StoreAccountingTests()
    {
        _drain = new EventLog(_ledger, WaitingPlace.Fallback, long.MaxValue);
        _books = new StoreAccounting(_drain, 0, _ledger);
    }

    [Fact]
    public void What_the_cap_took_of_what_is_being_sent_is_not_lost_and_needs_no_removal()
    {
        Begin(stored: 10, claimed: 6);
        _store.RemoveRange(0, 8);
        _books.Capped(0, 2, new AppendResult(2, 8), isRetry: false);
        AssertBooks(length: 2, claimed: 0, capped: 2, lost: 0);
        Settle(6);
        Assert.Empty(_books.Removable(part: true));
        AssertBooks(length: 2, claimed: 0, capped: 2, lost: 0);
    }

    [Fact]
    public void What_the_cap_took_half_of_is_removed_by_the_other_half()
    {
        Begin(stored: 10, claimed: 6);
        _store.RemoveRange(0, 4);
        _books.Capped(0, 6, new AppendResult(6, 4), isRetry: false);
        Settle(6);
        Assert.Equal(["e4", "e5"], Texts(_books.Removable(part: false)));
        Remove();
        AssertBooks(length: 4, claimed: 0, capped: 0, lost: 0);
    }

    [Fact]
    public void What_somebody_has_just_added_and_the_cap_has_taken_was_found_and_dropped()
    {
        Begin(stored: 10, claimed: 0);
        _store.AddRange(["x0", "x1", "x2", "x3", "x4"]);
        _store.RemoveRange(0, 12);
        _books.Capped(0, 3, new AppendResult(3, 12), isRetry: false);
        AssertBooks(length: 3, claimed: 0, capped: 12, lost: 0);
        Assert.Equal(10 + 5, _ledger.Snapshot().Adopted);
    }

    [Fact]
    public void A_cap_whose_answer_got_lost_is_still_the_reason()
    {
        Begin(stored: 10, claimed: 0);
        _store.RemoveRange(0, 3);
        _books.Capped(0, 7, new AppendResult(7, 0), isRetry: true);
        AssertBooks(length: 7, claimed: 0, capped: 3, lost: 0);
    }

    [Fact]
    public void What_is_missing_below_the_cap_was_lost_also_where_a_step_was_tried_again()
    {
        Begin(stored: 10, claimed: 0);
        _store.RemoveRange(0, 1);
        _books.Capped(0, 20, new AppendResult(9, 0), isRetry: true);
        AssertBooks(length: 9, claimed: 0, capped: 0, lost: 1);
    }

    [Fact]
    public void Somebody_cuts_the_tail_off_and_only_what_was_not_read_is_lost()
    {
        Begin(stored: 10, claimed: 6);
        _store.RemoveRange(7, 3);
        Count();
        AssertBooks(length: 7, claimed: 6, capped: 0, lost: 3);
        _store.RemoveRange(4, 3);
        Count();
        AssertBooks(length: 4, claimed: 4, capped: 0, lost: 4);
        Settle(6);
        Remove();
        Assert.True(_books.IsEmpty);
        AssertBooks(length: 0, claimed: 0, capped: 0, lost: 4);
    }

    [Fact]
    public void The_settled_front_of_a_batch_can_be_removed_alone()
    {
        Begin(stored: 10, claimed: 3);
        Settle(1);
        Assert.Equal(["e0"], Texts(_books.Removable(part: true)));
        Assert.Empty(_books.Removable(part: false));
    }

    [Fact]
    public void When_an_entry_was_received_that_is_read_from_a_store_nobody_knows()
    {
        Begin(stored: 1, claimed: 1);
        Assert.True(_drain.TryClaim(out var entry));
        Assert.Equal(0, entry.UnixMilliseconds);
    }

    [Fact]
    public void A_single_entry_that_is_left_of_what_is_being_sent_is_removed_when_it_is_settled()
    {
        Begin(stored: 10, claimed: 6);
        _store.RemoveRange(1, 9);
        Count();
        AssertBooks(length: 1, claimed: 1, capped: 0, lost: 4);
        Settle(6);
        Remove();
        Assert.True(_books.IsEmpty);
        AssertBooks(length: 0, claimed: 0, capped: 0, lost: 4);
    }

    [Fact]
    public void A_removal_that_was_not_done_is_not_taken_for_one_because_as_many_are_missing_at_the_tail()
    {
        Begin(stored: 10, claimed: 2);
        Read(most: 4);
        Settle(2);
        _store.RemoveRange(8, 2);
        Remove(isRetry: true);
        AssertBooks(length: 8, claimed: 6, capped: 0, lost: 2);
        Remove();
        AssertBooks(length: 6, claimed: 4, capped: 0, lost: 2);
    }

    [Fact]
    public void Somebody_cuts_the_front_off_and_only_what_was_not_read_is_lost()
    {
        Begin(stored: 10, claimed: 6);
        _store.RemoveRange(0, 3);
        Count();
        AssertBooks(length: 7, claimed: 3, capped: 0, lost: 0);
        _store.RemoveRange(0, 5);
        Count();
        AssertBooks(length: 2, claimed: 0, capped: 0, lost: 2);
    }

    [Fact]
    public void Somebody_takes_the_last_entry_while_a_single_one_is_being_sent()
    {
        Begin(stored: 10, claimed: 1);
        _store.RemoveAt(9);
        Count();
        AssertBooks(length: 9, claimed: 1, capped: 0, lost: 1);
    }

    [Fact]
    public void What_was_added_before_a_removal_is_found_by_it()
    {
        Begin(stored: 10, claimed: 6);
        Settle(6);
        _store.Add("x");
        Remove();
        AssertBooks(length: 5, claimed: 0, capped: 0, lost: 0);
        Assert.Equal(10 + 1, _ledger.Snapshot().Adopted);
    }

    [Fact]
    public void The_list_goes_and_another_one_comes()
    {
        Begin(stored: 10, claimed: 6);
        _store.Clear();
        _store.AddRange(["x0", "x1", "x2", "x3"]);
        Count();
        AssertBooks(length: 4, claimed: 0, capped: 0, lost: 0); // 4 of those not read are missed, and 4 others found: their lengths are all that is known
        Assert.Equal(4, _books.Unread.Count);
    }

    [Fact]
    public void Somebody_puts_entries_in_front_and_what_is_behind_them_is_read_again()
    {
        Begin(stored: 10, claimed: 6);
        _store.InsertRange(0, ["x0", "x1"]);
        Settle(6);
        Remove();
        AssertBooks(length: 12, claimed: 0, capped: 0, lost: 0);
        Assert.Equal(12, _books.Unread.Count);
        Assert.Equal(6 + 2, _ledger.Snapshot().Adopted - 10);
    }

    [Fact]
    public void A_removal_whose_answer_got_lost_was_done()
    {
        Begin(stored: 10, claimed: 6);
        Settle(6);
        _store.RemoveRange(0, 6);
        Remove(isRetry: true);
        Assert.Empty(_books.Removable(part: true));
        AssertBooks(length: 4, claimed: 0, capped: 0, lost: 0);
    }

    [Fact]
    public void A_removal_whose_answer_got_lost_was_done_also_among_equal_entries()
    {
        Begin(stored: 10, claimed: 6, equal: true);
        Settle(6);
        _store.RemoveRange(0, 6);
        Remove(isRetry: true);
        AssertBooks(length: 4, claimed: 0, capped: 0, lost: 0);
        Assert.Equal(4, _books.Unread.Count);
    }

    [Fact]
    public void Of_equal_entries_one_whose_removal_was_done_is_not_removed_once_more_and_a_later_loss_is_no_removal()
    {
        Begin(stored: 10, claimed: 6, equal: true);
        Settle(1);
        _store.RemoveAt(0);
        var entries = _books.Removable(part: true);
        _books.Removed(new RemoveResult(_store.Count, IsRemoved: false), entries.Count);
        Locate();
        Assert.Empty(_books.Removable(part: true));

        Settle(1);
        _store.RemoveRange(1, 1);
        _books.Read(new ReadResult(_store.Count, [], IsOther: true));
        Locate();
        Assert.Single(_books.Removable(part: true)); // which one is missing cannot be told, and the first of them is there
    }

    [Fact]
    public void A_read_that_finds_another_front_brings_nothing()
    {
        Begin(stored: 10, claimed: 6);
        _store.RemoveRange(0, 2);
        Read(most: 2);
        AssertBooks(length: 8, claimed: 4, capped: 0, lost: 0);
        Read(most: 2);
        AssertBooks(length: 8, claimed: 6, capped: 0, lost: 0);
        Assert.Equal(["e2", "e3", "e4", "e5", "e6", "e7"], Texts(_store.Take(6).Select(Bytes)));
    }

    [Fact]
    public void What_is_appended_behind_a_cut_into_what_is_being_sent_is_not_skipped()
    {
        Begin(stored: 10, claimed: 6);
        _store.RemoveRange(4, 6);
        _store.AddRange(["n0", "n1", "n2"]);
        Read(most: 2);
        AssertBooks(length: 7, claimed: 4, capped: 0, lost: 1); // 4 of those not read are missed, and 3 others found: their lengths are all that is known
        Read(most: 2);
        AssertBooks(length: 7, claimed: 6, capped: 0, lost: 1);
        Assert.Equal(["n0", "n1"], _store.Skip(4).Take(2));
    }

    [Fact]
    public void Entries_that_somebody_appends_all_the_time_do_not_stop_the_reading()
    {
        Begin(stored: 10, claimed: 2);
        for (var n = 0; n < 8; n++)
        {
            _store.Add($"x{n}");
            Read(most: 1);
        }

        AssertBooks(length: 18, claimed: 10, capped: 0, lost: 0);
    }

    private void Begin(int stored, int claimed, bool equal = false)
    {
        _store.AddRange(Enumerable.Range(0, stored).Select(n => equal ? "e" : $"e{n}"));
        Count();
        if (claimed > 0) Read(claimed);
        AssertBooks(stored, claimed, 0, 0);
    }

    private void Count()
    {
        _books.Counted(_store.Count);
        Locate();
    }

    private void Read(int most)
    {
        var offset = (int)_books.ReadAheadCount;
        var isOther = _books.Ends is { } ends && !(_store.Count >= offset && _store[0] == Text(ends.First) && _store[offset - 1] == Text(ends.Last));
        _books.Read(isOther ? new ReadResult(_store.Count, [], IsOther: true) : new ReadResult(_store.Count, [.. _store.Skip(offset).Take(most).Select(Bytes)]));
        Locate();
    }

    private void Remove(bool isRetry = false)
    {
        var entries = Texts(_books.Removable(part: false)).ToList();
        var isFront = (!isRetry || _store.Count == _books.Length) && _store.Take(entries.Count).SequenceEqual(entries);
        if (isFront) _store.RemoveRange(0, entries.Count);
        _books.Removed(new RemoveResult(_store.Count, isFront), entries.Count);
        Locate();
    }

    /// <summary>As the queue does.</summary>
    private void Locate()
    {
        if (_books.NeedsLocating) _books.Located(new ReadResult(_store.Count, [.. _store.Take((int)_books.ReadAheadCount).Select(Bytes)]));
        Assert.False(_books.NeedsLocating);
    }

    private void Settle(int count)
    {
        for (var n = 0; n < count; n++)
        {
            Assert.True(_drain.TryClaim(out var entry));
            _drain.Settle(entry.Sequence, Settlement.Confirmed);
        }
    }

    private void AssertBooks(long length, long claimed, long capped, long lost)
    {
        var ledger = _ledger.Snapshot();
        Assert.Equal((length, claimed, capped, lost), (_books.Length, _books.ReadAheadCount, ledger.Dropped[(int)DropReason.FallbackCap], ledger.Dropped[(int)DropReason.FallbackLost]));
        Assert.Equal(0, ledger.Difference);
        Assert.Equal(ledger.WaitingFallback, _books.Length - _books.ReadAheadCount + _drain.Count);
        Assert.Equal(_books.Length - _books.ReadAheadCount, _books.Unread.Count);
        Assert.Equal(_books.Unread.Count, _books.Unread.All.Sum(run => run.Count));
        Assert.Equal(_store.Count, _books.Length);
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> entry) => Encoding.UTF8.GetString(entry.Span);

    private static IEnumerable<string> Texts(IEnumerable<ReadOnlyMemory<byte>> entries) => entries.Select(entry => Encoding.UTF8.GetString(entry.Span));
}

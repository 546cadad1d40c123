using System.Text;
using KeyEvt.Forwarder.Fallback.Lists;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>What of the end of a list is known to be missing where another node has taken its place?</summary>
public sealed class RecentEntriesTests
{
    [Fact]
    public void What_follows_the_last_entry_that_got_there_is_missing()
    {
        var recent = new RecentEntries(long.MaxValue);
        recent.Add(Entries("a", "b", "c"));
        recent.Add(Entries("d"));
        Assert.Equal(["c", "d"], Missing(recent, "b"));
        Assert.Equal([], Missing(recent, "d"));
    }

    [Fact]
    public void All_of_it_is_missing_where_the_list_ends_with_none_of_it()
    {
        var recent = new RecentEntries(long.MaxValue);
        recent.Add(Entries("a", "b"));
        Assert.Equal(["a", "b"], Missing(recent, ""));
        Assert.Equal(["a", "b"], Missing(recent, "older"));
    }

    [Fact]
    public void A_batch_whose_step_is_repeated_counts_once()
    {
        var recent = new RecentEntries(long.MaxValue);
        recent.Add(Entries("a", "b"));
        recent.Add(Entries("a", "b"));
        Assert.Equal(2, recent.Count);
    }

    [Fact]
    public void What_has_left_the_list_is_forgotten()
    {
        var recent = new RecentEntries(long.MaxValue);
        recent.Add(Entries("a", "b", "c"));
        recent.KeepLast(5);
        Assert.Equal(3, recent.Count);
        recent.KeepLast(1);
        Assert.Equal(["c"], Missing(recent, ""));
        recent.KeepLast(0);
        recent.Add(Entries("c"));
        Assert.Equal(1, recent.Count);
    }

    [Fact]
    public void Its_bytes_are_bounded_and_the_newest_stay()
    {
        var recent = new RecentEntries(1000);
        for (var n = 0; n < 100; n++) recent.Add(Entries($"entry {n:00}"));
        Assert.Equal(1000 / (64 + 8), recent.Count);
        Assert.Equal("entry 99", Missing(recent, "")[^1]);
    }

    private static string[] Missing(RecentEntries recent, string last) => [.. recent.After(Encoding.UTF8.GetBytes(last)).Select(entry => Encoding.UTF8.GetString(entry.Span))];

    private static ReadOnlyMemory<byte>[] Entries(params string[] texts) => [.. texts.Select(text => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text))];
}

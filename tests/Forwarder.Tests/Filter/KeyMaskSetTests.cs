using System.Text;
using KeyEvt.Forwarder.Filter;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Filter;

/// <summary>How do sets of masks grow, compare and match?</summary>
public sealed class KeyMaskSetTests
{
    [Fact]
    public void The_empty_set_matches_nothing()
    {
        Assert.False(KeyMaskSet.Empty.Matches("a"u8));
        Assert.False(KeyMaskSet.Empty.Matches(""u8));
        Assert.Empty(KeyMaskSet.Empty.Masks);
        Assert.False(KeyMaskSet.Empty.IsAll);
    }

    [Fact]
    public void The_set_of_ALL_matches_everything_and_reads_back_as_ALL()
    {
        Assert.True(KeyMaskSet.All.Matches("a"u8));
        Assert.True(KeyMaskSet.All.Matches(""u8));
        Assert.True(KeyMaskSet.All.IsAll);
        Assert.Equal(["ALL"], Read(KeyMaskSet.All));
    }

    [Fact]
    public void Masks_are_kept_in_order_and_each_once()
    {
        var set = Set("b", "a").Add([Mask("a"), Mask("c"), Mask("c")]);
        Assert.Equal(["b", "a", "c"], Read(set));
        Assert.Same(set, set.Add([Mask("b")]));
    }

    [Fact]
    public void ALL_replaces_the_rest_and_stays_when_more_is_added()
    {
        Assert.Same(KeyMaskSet.All, Set("a", "ALL", "b"));
        Assert.Same(KeyMaskSet.All, Set("a").Add([Mask("ALL")]));
        Assert.Same(KeyMaskSet.All, KeyMaskSet.All.Add([Mask("a")]));
        Assert.False(Set("all").IsAll);
    }

    [Fact]
    public void Sets_are_equal_by_content_in_order()
    {
        Assert.Equal(Set("a", "b"), Set("a").Add([Mask("b")]));
        Assert.Equal(Set("a", "b").GetHashCode(), Set("a", "b").GetHashCode());
        Assert.NotEqual(Set("a", "b"), Set("b", "a"));
        Assert.NotEqual(Set("a"), KeyMaskSet.Empty);
        Assert.NotEqual(Set("a"), KeyMaskSet.All);
    }

    [Fact]
    public void An_addition_leaves_the_old_set_as_it_was()
    {
        var old = Set("^a");
        var grown = old.Add([Mask("^b")]);
        Assert.False(old.Matches("b"u8));
        Assert.True(grown.Matches("b"u8));
        Assert.True(grown.Matches("a"u8));
    }

    [Fact]
    public void A_thousand_prefixes_each_match_their_own_keys_only()
    {
        var set = KeyMaskSet.Empty.Add(Enumerable.Range(0, 1000).Select(i => Mask($"^tenant{i}:.*$")));
        for (var i = 0; i < 1000; i++)
        {
            Assert.True(set.Matches(Encoding.ASCII.GetBytes($"tenant{i}:user:17")));
            Assert.False(set.Matches(Encoding.ASCII.GetBytes($"tenant{i + 1000}:user:17")));
            Assert.False(set.Matches(Encoding.ASCII.GetBytes($" tenant{i}:user:17")));
        }
    }

    private static KeyMask Mask(string mask) => KeyMask.Parse(Encoding.Latin1.GetBytes(mask));

    private static KeyMaskSet Set(params string[] masks) => KeyMaskSet.Empty.Add(masks.Select(Mask));

    private static IEnumerable<string> Read(KeyMaskSet set) => set.Masks.Select(mask => Encoding.Latin1.GetString(mask.Bytes.Span));
}

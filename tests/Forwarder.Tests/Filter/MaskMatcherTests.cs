using System.Text;
using KeyEvt.Forwarder.Filter;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Filter;

/// <summary>Does matching stay linear, bounded in memory, free of allocation and right on several threads?</summary>
public sealed class MaskMatcherTests
{
    private const int KeyLength = 100_000;

    [Theory]
    [InlineData(".*a.*a.*a.*b", 'a')]
    [InlineData("^.*a.*a.*a.*b$", 'a')]
    [InlineData("a*a*a*a*a*a*a*a*b", 'a')]
    [InlineData("^a*.*a*.*a*.*a*b", 'a')]
    public void A_hostile_mask_costs_one_look_up_a_byte(string mask, char fill)
    {
        var matcher = Matcher(mask);
        var key = Key(fill);
        Assert.False(matcher.Matches(key));

        // a handful of rows, and no byte read without the table: so every byte was one look-up
        Assert.InRange(matcher.Dfa.RowCount, 1, 20);
        Assert.Equal(0, matcher.Dfa.SlowBytes);

        key[^1] = (byte)'b';
        Assert.True(matcher.Matches(key));
    }

    [Fact]
    public void A_mask_with_more_rows_than_fit_reads_each_byte_once_all_the_same()
    {
        // to know whether the 30th byte from the end is an a, the last 30 bytes have to be remembered: 2^30 rows
        var matcher = Matcher("a.............................$");
        var key = RandomKey(seed: 1, "ab"u8);
        key[^30] = (byte)'a';
        Assert.True(matcher.Matches(key));
        Assert.InRange(matcher.Dfa.SlowBytes, 1, KeyLength);
        Assert.InRange(matcher.Dfa.RowCount, 1, 64 * 1024);

        key[^30] = (byte)'b';
        Assert.False(matcher.Matches(key));
    }

    [Fact]
    public void A_thousand_hostile_masks_at_once_read_each_byte_of_a_long_key_once()
    {
        var random = new Random(2);
        string[] masks = [.. Enumerable.Range(0, 1000).Select(_ => string.Concat(Enumerable.Range(0, 4).Select(_ => $".*{(char)random.Next('a', 'z')}")) + ".*!")];
        var matcher = Matcher(masks);
        var key = RandomKey(seed: 3, "abcdefghijklmnopqrstuvwxyz"u8);
        Assert.False(matcher.Matches(key));
        Assert.InRange(matcher.Dfa.SlowBytes, 0, KeyLength);

        key[^1] = (byte)'!';
        Assert.True(matcher.Matches(key));
        Assert.InRange(matcher.Dfa.SlowBytes, 0, 2 * KeyLength);
    }

    [Fact]
    public void Memory_full_of_rows_that_are_no_longer_met_is_given_up()
    {
        var matcher = new MaskMatcher([MaskPattern.Parse("a..........$"u8)], memoryBytes: 0);
        var key = RandomKey(seed: 4, "ab"u8);
        matcher.Matches(key);
        var first = matcher.Dfa;
        for (var i = 0; i < 2000 && ReferenceEquals(first, matcher.Dfa); i++)
        {
            matcher.Matches(key.AsSpan(0, 1000));
        }

        Assert.NotSame(first, matcher.Dfa);
        Assert.Equal(PikeMatcher.Matches("a..........$"u8.ToArray(), key[..1000]), matcher.Matches(key.AsSpan(0, 1000)));
    }

    [Theory]
    [InlineData("^user:.*$")]
    [InlineData(".*a.*a.*a.*b")]
    [InlineData("a.............................$")]
    public void Matching_keys_of_a_known_kind_allocates_nothing(string mask)
    {
        var set = KeyMaskSet.Empty.Add([KeyMask.Parse(Encoding.ASCII.GetBytes(mask))]);
        var key = RandomKey(seed: 5, "ab"u8);
        set.Matches(key);
        set.Matches(key);

        // What matching allocates, it allocates in each round; what the runtime does beside it, such as compiling a method anew, comes in one of them.
        var allocated = new long[5];
        for (var round = 0; round < allocated.Length; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 10; i++) set.Matches(key);
            allocated[round] = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Contains(0, allocated);
    }

    [Fact]
    public async Task Several_threads_that_learn_at_once_all_get_it_right()
    {
        string[] masks = ["^user:.*:name$", "a.........b", "x*y*z$", "^.*:.*:.*:"];
        byte[][] keys = [.. Enumerable.Range(0, 300).Select(i => RandomKey(i, "abxyz:"u8)[..200])];
        bool[] expected = [.. keys.Select(key => masks.Any(mask => PikeMatcher.Matches(Encoding.ASCII.GetBytes(mask), key)))];
        for (var round = 0; round < 20; round++)
        {
            var matcher = Matcher(masks);
            using var start = new Barrier(4);
            var found = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(TestContext.Current.CancellationToken);
                    return keys.Select(key => matcher.Matches(key)).ToArray();
                },
                TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));
            Assert.All(found, one => Assert.Equal(expected, one));
        }
    }

    private static MaskMatcher Matcher(params string[] masks) => new([.. masks.Select(mask => MaskPattern.Parse(Encoding.ASCII.GetBytes(mask)))]);

    private static byte[] Key(char fill) => [.. Enumerable.Repeat((byte)fill, KeyLength)];

    private static byte[] RandomKey(int seed, ReadOnlySpan<byte> letters) => new Random(seed).GetItems(letters, KeyLength);
}

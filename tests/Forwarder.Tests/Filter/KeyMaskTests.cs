using System.Text;
using KeyEvt.Forwarder.Filter;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Filter;

/// <summary>What does one mask match? The decisions on the edges of the grammar, one by one.</summary>
public sealed class KeyMaskTests
{
    [Theory]
    [InlineData("user", "a user key", true)]
    [InlineData("user", "use", false)]
    [InlineData("^user:", "user:1", true)]
    [InlineData("^user:", "a user:1", false)]
    [InlineData(":end$", "the:end", true)]
    [InlineData(":end$", "the:end ", false)]
    [InlineData("^user:.*$", "user:", true)]
    [InlineData("^user:.*$", "user", false)]
    [InlineData("^a.c$", "abc", true)]
    [InlineData("^a.c$", "ac", false)]
    [InlineData("^ab*c$", "ac", true)]
    [InlineData("^ab*c$", "abbbc", true)]
    [InlineData("^ab*c$", "abxc", false)]
    public void Plain_bytes_dots_anchors_and_stars(string mask, string key, bool expected) => Check(mask, key, expected);

    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "anything", true)]
    [InlineData("^", "", true)]
    [InlineData("^", "anything", true)]
    [InlineData("$", "anything", true)]
    [InlineData(".*", "", true)]
    [InlineData("^.*$", "anything", true)]
    [InlineData("x*", "anything", true)]
    [InlineData("a*$", "anything", true)]
    [InlineData("^$", "", true)]
    [InlineData("^$", "anything", false)]
    [InlineData(".", "", false)]
    [InlineData("^a*$", "", true)]
    [InlineData("^a*$", "aaa", true)]
    [InlineData("^a*$", "aab", false)]
    public void Masks_that_ask_for_nothing_match_every_key(string mask, string key, bool expected) => Check(mask, key, expected);

    [Theory]
    [InlineData("*", "a*b", true)]
    [InlineData("*", "ab", false)]
    [InlineData("^*", "*a", true)]
    [InlineData("^*", "a*", false)]
    [InlineData("a**", "*", true)]
    [InlineData("a**", "aaa", false)]
    [InlineData("^**$", "***", true)]
    [InlineData("^**$", "", true)]
    [InlineData("^**$", "a", false)]
    [InlineData("^a***$", "aa**", true)]
    [InlineData("*a*", "*", true)]
    public void A_star_with_nothing_before_it_is_a_star(string mask, string key, bool expected) => Check(mask, key, expected);

    [Theory]
    [InlineData("a$b", "a$b", true)]
    [InlineData("a$b", "ab", false)]
    [InlineData("$a", "$a", true)]
    [InlineData("$a", "a", false)]
    [InlineData("^$*a$", "$$a", true)]
    [InlineData("^$*$", "$$", true)]
    [InlineData("^$*$", "a", false)]
    [InlineData("$$", "a$", true)]
    [InlineData("$$", "$a", false)]
    [InlineData("a^b", "a^b", true)]
    [InlineData("a^b", "ab", false)]
    [InlineData("^^", "^a", true)]
    [InlineData("^^", "a^", false)]
    [InlineData("^^*$", "^^", true)]
    [InlineData(@"\.", @"a\b", true)]
    [InlineData(@"\.", ".", false)]
    [InlineData("[ab]", "a", false)]
    [InlineData("[ab]", "[ab]", true)]
    public void Anchors_elsewhere_and_other_signs_are_themselves(string mask, string key, bool expected) => Check(mask, key, expected);

    [Theory]
    [InlineData("ALL", "anything", true)]
    [InlineData("ALL", "", true)]
    [InlineData("all", "anything", false)]
    [InlineData("all", "small", true)]
    [InlineData("^ALL", "anything", false)]
    [InlineData("^ALL", "ALL of it", true)]
    [InlineData("ALL ", "anything", false)]
    public void ALL_matches_everything_in_upper_case_and_alone(string mask, string key, bool expected) => Check(mask, key, expected);

    [Fact]
    public void Every_byte_is_itself_and_a_dot_takes_every_byte()
    {
        for (var value = 0; value < 256; value++)
        {
            byte[] key = [(byte)'<', (byte)value, (byte)'>'];
            Assert.True(KeyMask.Parse("^<.>$"u8).Matches(key));
            Assert.True(KeyMask.Parse("^<.*>$"u8).Matches(key));
            if (value is not ('.' or '*'))
            {
                var exact = KeyMask.Parse([(byte)'^', .. key]);
                Assert.True(exact.Matches(key));
                Assert.False(exact.Matches([(byte)'<', (byte)(value ^ 0x80), (byte)'>']));
            }
        }
    }

    [Fact]
    public void All_256_bytes_may_be_named_by_one_mask()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i).Where(b => b is not ((byte)'*' or (byte)'.')), (byte)'.', (byte)'x'];
        Assert.True(KeyMask.Parse([(byte)'*', .. all]).Matches([(byte)'*', .. all]));
        Assert.False(KeyMask.Parse([(byte)'*', .. all]).Matches([(byte)'*', .. all[..^1]]));
    }

    [Fact]
    public void Masks_are_equal_by_their_bytes()
    {
        Assert.Equal(KeyMask.Parse("^a.*"u8), KeyMask.Parse("^a.*"u8));
        Assert.Equal(KeyMask.Parse("^a.*"u8).GetHashCode(), KeyMask.Parse("^a.*"u8).GetHashCode());
        Assert.NotEqual(KeyMask.Parse("^a.*"u8), KeyMask.Parse("^a"u8));
        Assert.Equal("^a.*"u8, KeyMask.Parse("^a.*"u8).Bytes.Span);
    }

    [Fact]
    public void A_mask_is_printed_on_one_line_whatever_is_in_it() =>
        Assert.Equal(@"^a\x0d\x0a\x00\xff\x5c$", KeyMask.Parse([.. "^a\r\n\0"u8, 0xff, .. @"\$"u8]).ToString());

    private static void Check(string mask, string key, bool expected)
    {
        byte[] maskBytes = Encoding.Latin1.GetBytes(mask), keyBytes = Encoding.Latin1.GetBytes(key);
        Assert.Equal(expected, PikeMatcher.Matches(maskBytes, keyBytes));
        Assert.Equal(expected, KeyMask.Parse(maskBytes).Matches(keyBytes));
    }
}

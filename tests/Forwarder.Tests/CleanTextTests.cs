using KeyEvt.Forwarder.Text;
using Xunit;

namespace KeyEvt.Forwarder.Tests;

/// <summary>Can what others write make a terminal or a log reader do something?</summary>
public sealed class CleanTextTests
{
    [Theory]
    [InlineData("an exchange", "an exchange")]
    [InlineData("", "")]
    [InlineData("größe ✓ 鍵 🔑", "größe ✓ 鍵 🔑")]
    [InlineData("a\r\nb\nc", "a  b c")]
    [InlineData("\u001b[31mred\u001b[0m", " [31mred [0m")]
    [InlineData("nul\0 bell\a tab\t del\u007f", "nul  bell  tab  del ")]
    [InlineData("csi\u009b2J nel\u0085", "csi 2J nel ")]
    [InlineData("line\u2028 paragraph\u2029", "line  paragraph ")]
    [InlineData("user\u202egnp.exe \u2066x\u2069", "user gnp.exe  x ")]
    public void What_would_be_obeyed_becomes_a_blank_and_the_rest_stays(string text, string clean) => Assert.Equal(clean, CleanText.Line(text));

    [Fact]
    public void Nothing_is_left_of_any_control_character()
    {
        for (var c = '\0'; c < char.MaxValue; c++)
        {
            if (char.IsControl(c)) Assert.Equal("a b", CleanText.Line($"a{c}b"));
        }
    }

    [Fact]
    public void A_long_text_is_cut()
    {
        Assert.Equal("abc", CleanText.Line("abc", 3));
        Assert.Equal("abc...", CleanText.Line("abcd", 3));
        Assert.Equal("a c...", CleanText.Line("a\ncd", 3));
    }
}

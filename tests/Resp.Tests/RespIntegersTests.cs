// Which texts are integers?
using Xunit;

namespace KeyEvt.Resp.Tests;

public sealed class RespIntegersTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("7", 7L)]
    [InlineData("-1", -1L)]
    [InlineData("1234567890123", 1234567890123L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808", long.MinValue)]
    public void A_canonical_integer_is_read_and_written_the_same(string text, long value)
    {
        Assert.True(RespIntegers.TryParse(Latin1.Bytes(text), out var read));
        Assert.Equal(value, read);
        var written = new byte[RespIntegers.MaxLength];
        Assert.Equal(text, Latin1.Text(written.AsSpan(0, RespIntegers.Format(value, written))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("-0")]
    [InlineData("01")]
    [InlineData("-01")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1.0")]
    [InlineData("--1")]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("111111111111111111111")]
    public void Anything_else_is_no_integer(string text) => Assert.False(RespIntegers.TryParse(Latin1.Bytes(text), out _));
}

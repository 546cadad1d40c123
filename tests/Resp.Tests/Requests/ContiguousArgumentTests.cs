// Which arguments does the fast reading take, and which does it leave to the slow one?
using KeyEvt.Resp.Requests;
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

/// <summary>The fast reading never judges, so the tests of whole streams pass without it. Here it has to be fast for what it is made for.</summary>
public sealed class ContiguousArgumentTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(19)]
    [InlineData(20)]
    [InlineData(90)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(999)]
    [InlineData(1000)]
    [InlineData(9_999_999)]
    public void A_whole_argument_is_passed_over_wherever_it_begins(int length)
    {
        var header = $"${length}\r\n";
        foreach (var front in new[] { 0, 1, 5 })
        {
            var span = Latin1.Bytes(new string('x', front) + header + new string('v', length) + "\r\n");
            Assert.Equal(span.Length, ContiguousArgument.Skip(span, front, length, out var body));
            Assert.Equal(front + header.Length, body);

            Assert.Equal(-1, ContiguousArgument.Skip(span.AsSpan(0, span.Length - 1), front, length, out _));
            Assert.Equal(-1, ContiguousArgument.Skip(span, front, length - 1, out _));
        }
    }

    [Theory]
    [InlineData("*1\r\nv\r\n")]
    [InlineData("$:\r\nvvvvvvvvvv\r\n")]
    [InlineData("$/\r\n\r\n")]
    [InlineData("$1\rxv\r\n")]
    [InlineData("$1x\nv\r\n")]
    [InlineData("$1\r\nvx\n")]
    [InlineData("$1\r\nv\rx")]
    [InlineData("$0:\r\nvvvvvvvvvv\r\n")]
    [InlineData("$01\r\nv\r\n")]
    [InlineData("$1:\r\nvvvvvvvvvvvvvvvvvvvv\r\n")]
    [InlineData("$1/\r\nvvvvvvvvv\r\n")]
    [InlineData("$:0\r\nvvvvvvvvvv\r\n")]
    [InlineData("$10\rxvvvvvvvvvv\r\n")]
    [InlineData("$001\r\nv\r\n")]
    [InlineData("$00000001\r\nv\r\n")]
    [InlineData("$10000000\r\nv\r\n")]
    [InlineData("$-1\r\nv\r\n")]
    public void Whatever_is_not_plainly_an_argument_is_left_to_the_slow_reading(string text) =>
        Assert.Equal(-1, ContiguousArgument.Skip(Latin1.Bytes(text), 0, int.MaxValue, out _));
}

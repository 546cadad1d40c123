using System.Text;
using KeyEvt.Forwarder.Group;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>Does a program read the messages of its own group and stream, and no others?</summary>
public sealed class GroupEnvelopeTests
{
    private const ulong Run = 0xabc;

    private static readonly GroupMessage Question = new GroupMessage.Who("a-1", 30);
    private readonly GroupEnvelope _orders = new("orders", new MessageSeal(null));

    [Fact]
    public void A_message_names_version_group_and_run_id() => Assert.Equal("1 orders 0000000000000abc who a-1 30", _orders.Write(Question, Run));

    [Fact]
    public void The_message_of_the_own_group_and_stream_is_read() => Assert.Equal(Question, _orders.Read(Bytes(_orders.Write(Question, Run)), Run));

    [Theory]
    [InlineData("1 others 0000000000000abc who a-1 30")]
    [InlineData("1 orders 0000000000000abd who a-1 30")]
    [InlineData("1 orders 0000000000000abc")]
    [InlineData("1 orders 0000000000000abc ")]
    [InlineData("1 orders 0000000000000abcwho a-1 30")]
    [InlineData("1 orders +000000000000abc who a-1 30")]
    [InlineData("2 orders 0000000000000abc who a-1 30")]
    [InlineData("1  orders 0000000000000abc who a-1 30")]
    [InlineData("a-5f3c:1883268343475361130")]
    [InlineData("")]
    [InlineData("\xff\xfe")]
    public void Anything_else_is_not_read(string text) => Assert.Null(_orders.Read(Bytes(text), Run));

    [Fact]
    public void A_message_that_is_too_long_is_not_read() => Assert.Null(_orders.Read(Bytes($"1 orders 0000000000000abc who a-1 30 x={new string('x', 300_000)}"), Run));

    [Theory]
    [InlineData("2 orders 0000000000000abc who a-1 30", true)]
    [InlineData("12 orders whatever", true)]
    [InlineData("1 orders 0000000000000abc who a-1 30", false)]
    [InlineData("2 others 0000000000000abc who a-1 30", false)]
    [InlineData("two orders 0000000000000abc who a-1 30", false)]
    [InlineData("123456789 orders 0000000000000abc", false)]
    [InlineData("", false)]
    public void Another_version_of_the_own_group_is_known_as_such(string text, bool isOther) => Assert.Equal(isOther, _orders.IsOtherVersion(Bytes(text)));

    [Fact]
    public void With_a_secret_only_sealed_messages_of_this_stream_are_read()
    {
        var sealing = new GroupEnvelope("orders", new MessageSeal([1, 2, 3]));
        var text = sealing.Write(Question, Run);
        Assert.Equal(Question, sealing.Read(Bytes(text), Run));
        Assert.Null(sealing.Read(Bytes(_orders.Write(Question, Run)), Run));
        Assert.Null(sealing.Read(Bytes(text.Replace("0abc", "0abd", StringComparison.Ordinal)), 0xabd));
        Assert.Null(sealing.Read(Bytes(text.Replace("a-1", "a-2", StringComparison.Ordinal)), Run));
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}

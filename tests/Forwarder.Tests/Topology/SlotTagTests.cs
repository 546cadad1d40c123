using System.Text;
using KeyEvt.Forwarder.Keys;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Are slots those of Redis, and is each tag in its slot?</summary>
public sealed class SlotTagTests
{
    [Theory]
    [InlineData("123456789", 0x31C3)] // the check value of CRC16/XMODEM
    [InlineData("foo", 12182)] // CLUSTER KEYSLOT of Redis 7.0.15
    [InlineData("", 0)]
    public void A_slot_is_the_one_of_Redis(string tag, int slot) => Assert.Equal(slot, SlotTag.SlotOf(Encoding.ASCII.GetBytes(tag)));

    [Fact]
    public void Every_slot_has_a_tag_of_its_own()
    {
        foreach (var slot in Enumerable.Range(0, SlotTag.Slots))
        {
            Assert.Equal(slot, SlotTag.SlotOf(Encoding.ASCII.GetBytes(SlotTag.Of(slot))));
        }
    }

    [Theory]
    [InlineData("foo", "foo")]
    [InlineData("a{foo}b", "foo")]
    [InlineData("a{foo}{bar}", "foo")]
    [InlineData("a{}{foo}", "a{}{foo}")]
    [InlineData("a{foo", "a{foo")]
    public void A_key_is_where_its_tag_is(string key, string tag) =>
        Assert.Equal(SlotTag.SlotOf(Encoding.ASCII.GetBytes(tag)), SlotTag.SlotOfKey(Encoding.ASCII.GetBytes(key)));
}

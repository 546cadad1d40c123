using System.Text;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Topology;
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

    [Theory]
    [InlineData(0, 5461)]
    [InlineData(5462, 10922)]
    [InlineData(10923, 16383)]
    [InlineData(16000, 16383)]
    public void A_search_finds_a_range_in_about_as_many_tries_as_there_are_such_ranges(int first, int last)
    {
        var search = new SlotSearch();
        var tries = 1;
        while (SlotTag.SlotOf(Encoding.ASCII.GetBytes(search.Next())) is var slot && (slot < first || slot > last)) tries++;
        Assert.InRange(tries, 1, 4 * SlotTag.Slots / (last - first + 1));
    }

    [Fact]
    public void A_search_comes_to_every_slot()
    {
        var search = new SlotSearch();
        Assert.Equal(SlotTag.Slots, Enumerable.Range(0, SlotTag.Slots).Select(_ => search.NextSlot()).Distinct().Count());
    }

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

using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Keys;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What is kept in the node for the next life, and under which key?</summary>
public sealed class CheckpointTests
{
    [Fact]
    public void What_is_written_is_read_back()
    {
        var state = new Checkpoint(new EventPosition(0xab, 1883183614821303630, 17), DateTimeOffset.FromUnixTimeMilliseconds(1795943788665), "host-1");
        Assert.Equal("1 00000000000000ab-1883183614821303630-17 1795943788665 host-1", state.ToString());
        Assert.Equal(state, Checkpoint.Parse(state.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("2 00000000000000ab-1-0 5 w")]
    [InlineData("1 00000000000000ab-1-0 5")]
    [InlineData("1 00000000000000ab-1-0 -5 w")]
    [InlineData("1 00000000000000ab-1-0 999999999999999999 w")]
    [InlineData("1 ab-1-0 5 w")]
    [InlineData("1 00000000000000ab-1 5 w")]
    [InlineData("1 00000000000000ab-x-0 5 w")]
    [InlineData("1 00000000000000ab-1-99999999999 5 w")]
    public void Anything_else_is_none(string text) => Assert.Null(Checkpoint.Parse(text));

    [Theory]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage{12}", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-state", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-state{12}", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-state:host", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-state:host{12}", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-term", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-term{12}", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-term:orders", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-terms", false)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-config:orders", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-configs", false)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-", false)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-states", false)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storag", false)]
    [InlineData("x", false)]
    public void A_key_of_ours_makes_no_event(string key, bool isOurs) => Assert.Equal(isOurs, FallbackKey.Is(Encoding.ASCII.GetBytes(key)));

    [Theory]
    [InlineData("list", "orders", "list-term:orders")]
    [InlineData("list{12}", "orders", "list-term:orders{12}")]
    public void The_term_of_a_list_is_that_of_a_group_and_stands_in_the_slot_of_its_tag(string list, string group, string term) => Assert.Equal(term, FallbackKey.TermOf(list, group));

    [Theory]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage", false)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage{12}", false)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-term", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-term{12}", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-state:host{12}", true)]
    [InlineData("REDIS_MODULE-key_evt_amqp-fallback_storage-config:orders", true)]
    public void A_change_of_a_state_or_a_term_is_not_even_counted(string key, bool isState) => Assert.Equal(isState, FallbackKey.IsState(Encoding.ASCII.GetBytes(key)));

    [Fact]
    public void The_name_of_the_group_is_in_its_key() => Assert.Equal("REDIS_MODULE-key_evt_amqp-fallback_storage-state:orders", FallbackKey.StateOf("orders"));

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    [InlineData(5, false)]
    public void What_was_kept_since_this_run_began_is_not_of_an_earlier_one(int seconds, bool isEarlier)
    {
        var registry = new CheckpointRegistry("state", "orders") { Begun = DateTimeOffset.UnixEpoch.AddHours(1) };
        registry.Found(new Checkpoint(new EventPosition(0xabc, 5, 7), registry.Begun.AddSeconds(seconds), "orders"));
        Assert.Equal(isEarlier, registry.Newest is not null);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_says_whether_its_writer_has_ended(bool hasEnded)
    {
        var kept = new Checkpoint(new EventPosition(0xabc, 5, 7), DateTimeOffset.UnixEpoch, "orders", hasEnded);
        Assert.Equal(kept, Checkpoint.Parse(kept.ToString()));
        Assert.Null(Checkpoint.Parse(kept + " more"));
    }
}

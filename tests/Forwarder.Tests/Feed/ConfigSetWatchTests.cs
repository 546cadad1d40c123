using KeyEvt.Forwarder.Feed.Coverage;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>When may flags that two looks have found have been away between them?</summary>
public sealed class ConfigSetWatchTests
{
    private readonly ConfigSetWatch _watch = new();
    private long _sets;
    private long _gets;

    public ConfigSetWatchTests() => Look();

    [Fact]
    public void Nobody_has_set_anything() => Assert.False(Look(0));

    [Fact]
    public void One_set_cannot_take_away_and_give_back()
    {
        Assert.False(Look(1));
        Assert.False(Look(0));
        Assert.False(Look(1));
    }

    [Fact]
    public void Two_sets_between_two_looks_can() => Assert.True(Look(2));

    [Fact]
    public void Two_sets_in_neighbouring_intervals_can_as_commands_may_come_between_the_two_questions_of_a_look()
    {
        Assert.False(Look(1));
        Assert.True(Look(1));
        Assert.False(Look(0));
    }

    [Fact]
    public void Our_own_sets_do_not_count()
    {
        _watch.OwnSet();
        Assert.False(Look(2));
        _watch.OwnSet();
        Assert.True(Look(3));
    }

    [Fact]
    public void Behind_our_own_set_it_takes_two_again()
    {
        Assert.False(Look(1));
        _watch.OwnSet();
        Assert.False(Look(2));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public void One_before_our_own_set_that_only_adds_letters_can_have_taken_others_away(int before, int behind)
    {
        Assert.False(Look(before));
        _watch.OwnSet(mayHide: true);
        Assert.True(Look(behind + 1));
        Assert.False(Look(0));
    }

    [Fact]
    public void Our_own_set_alone_takes_nothing_away()
    {
        _watch.OwnSet(mayHide: true);
        Assert.False(Look(1));
        Assert.False(Look(1));
    }

    [Fact]
    public void A_set_before_counts_that_were_not_told_does_not_add_up_with_one_behind_them()
    {
        Assert.False(Look(1));
        Assert.False(_watch.MayHaveBeenAway("run", null, out _));
        Assert.False(Look());
        Assert.False(Look(1));
    }

    [Fact]
    public void Counts_that_begin_anew_prove_nothing()
    {
        Assert.False(Look(1));
        (_sets, _gets) = (0, 0);
        Assert.True(Look(0));
        Assert.False(Look(1)); // what was counted before does not add up with it
    }

    [Fact]
    public void Where_nothing_is_counted_nothing_can_be_said()
    {
        Assert.False(_watch.MayHaveBeenAway("run", null, out _));
        Assert.False(Look(5));
        Assert.False(Look(0));
    }

    [Fact]
    public void Another_process_counts_anew()
    {
        Assert.False(_watch.MayHaveBeenAway("another run", new ConfigCalls(9, 99), out _));
        Assert.True(_watch.MayHaveBeenAway("another run", new ConfigCalls(11, 100), out _));
    }

    [Theory]
    [InlineData("# Commandstats\r\ncmdstat_config|get:calls=7,usec=1,usec_per_call=0.34,rejected_calls=1,failed_calls=0\r\ncmdstat_config|set:calls=5,usec=9,usec_per_call=1.5,rejected_calls=3,failed_calls=2\r\n", 3, 7)]
    [InlineData("# Commandstats\r\ncmdstat_config|get:calls=7,usec=1\r\n", 0, 7)]
    [InlineData("# Commandstats\r\ncmdstat_config|get:calls\r\ncmdstat_config|set:calls=x,failed_calls\r\n", 0, 0)]
    public void The_counts_are_those_of_the_calls_that_did_something(string info, long sets, long gets) => Assert.Equal(new ConfigCalls(sets, gets), ConfigCalls.Of(info));

    [Fact]
    public void Redis_6_does_not_count_subcommands() => Assert.Null(ConfigCalls.Of("# Commandstats\r\ncmdstat_config:calls=7,usec=1\r\n"));

    private bool Look(int further = 0)
    {
        _sets += further;
        return _watch.MayHaveBeenAway("run", new ConfigCalls(_sets, ++_gets), out _);
    }
}

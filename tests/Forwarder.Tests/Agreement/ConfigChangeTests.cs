using System.Text;
using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Group;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Agreement;

/// <summary>How does a command change the configuration of all members, and when is it refused?</summary>
public sealed class ConfigChangeTests
{
    private static readonly ForwarderConfig Options = new() { Masks = KeyMaskSet.All, Amqp = new AmqpSettings { Host = "own" } };

    [Fact]
    public async Task A_change_is_kept_and_then_said_and_then_in_force()
    {
        var rig = await BegunAsync();
        Assert.True(await rig.PassAsync(rig.Changes.ChangeAsync(config => config with { Exchange = "e1" })));
        Assert.Equal("e1", rig.Current.Value.Exchange);
        var said = Assert.IsType<GroupMessage.Config>(Assert.Single(rig.Said));
        Assert.Equal((rig.InForce.Value.Version, null), (said.Version, said.Follows));
        Assert.Equal($"{said.Version} {said.Text}", rig.Store.Kept);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Before_a_replica_it_is_in_force_at_once_and_kept_if_that_is_possible(bool isRefused)
    {
        var rig = await BegunAsync();
        (rig.ConfigVersion, rig.IsHeldBack) = (null, true);
        var kept = rig.Store.Kept;
        if (isRefused)
        {
            rig.Store.BeforeWrite = static () => throw new ConfigStoreException("READONLY You can't write against a read only replica.", new IOException()) { IsRefusal = true };
        }
        Assert.True(await rig.PassAsync(rig.Changes.ChangeAsync(config => config with { Exchange = "e1" })));
        Assert.Equal("e1", rig.Current.Value.Exchange);
        Assert.Empty(rig.Said);
        Assert.Equal(isRefused, rig.Store.Kept == kept);
    }

    [Fact]
    public async Task Before_a_replica_what_others_have_kept_is_taken()
    {
        var rig = await BegunAsync();
        (rig.ConfigVersion, rig.IsHeldBack) = (null, true);
        var others = new SharedConfig(rig.InForce.Value.Version + 10, rig.InForce.Fingerprint, "x", rig.Current.Value with { RoutingKey = "of others" });
        rig.Store.Kept = $"{others.Version} {rig.InForce.WriteSealed(others)}";
        await rig.UntilAsync(() => rig.Current.Value.RoutingKey == "of others");
    }

    [Fact]
    public async Task Who_loses_a_race_changes_what_the_winner_has_made()
    {
        var rig = await BegunAsync();
        var races = 2;
        rig.Store.BeforeWrite = () =>
        {
            if (races-- <= 0) return;

            var others = new SharedConfig(rig.InForce.Value.Version + 10 - races, rig.InForce.Fingerprint, "x", rig.Current.Value with { RoutingKey = $"of others {races}" });
            rig.Store.Kept = $"{others.Version} {rig.InForce.WriteSealed(others)}";
        };
        Assert.True(await rig.PassAsync(rig.Changes.ChangeAsync(config => config with { Exchange = "mine" })));
        Assert.Equal(("mine", "of others 0"), (rig.Current.Value.Exchange, rig.Current.Value.RoutingKey));
        Assert.All(rig.Said.OfType<GroupMessage.Config>(), said => Assert.Contains("others", said.Text, StringComparison.Ordinal)); // what was refused was never said
    }

    /// <param name="ahead">By how much the version of the other member is older: both may make one in the same millisecond.</param>
    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Where_nothing_is_kept_the_message_names_what_it_follows_and_a_void_one_is_made_again(int ahead)
    {
        var rig = new AgreementRig(Options, hasStore: false);
        await rig.BeginAsync();
        await rig.PassAsync(0.2); // a version is made of the clock
        rig.ComesBack = false;
        var change = rig.Changes.ChangeAsync(config => config with { Exchange = "mine" });
        await rig.UntilAsync(() => rig.Said.Count == 1);
        var first = (GroupMessage.Config)rig.Said[0];
        Assert.Equal(rig.InForce.Value.Version, first.Follows);

        var others = new SharedConfig(first.Version - ahead, rig.InForce.Fingerprint, "x", rig.Current.Value with { RoutingKey = "of others" });
        rig.Hear(new GroupMessage.Config("x-1", 50, others.Version, first.Follows, rig.InForce.Write(others)));
        rig.Hear(first); // void
        rig.ComesBack = true;
        Assert.True(await rig.PassAsync(change));
        Assert.Equal(("mine", "of others"), (rig.Current.Value.Exchange, rig.Current.Value.RoutingKey));
        Assert.Null(rig.Store.Kept);
    }

    [Fact]
    public async Task Who_always_loses_the_race_gives_up()
    {
        var rig = await BegunAsync();
        var other = 5;
        rig.Store.BeforeWrite = () => rig.Store.Kept = $"{other++} {{}}";
        rig.IsHolder = false;
        await RefusedAsync(rig, "all the time", config => config with { Exchange = "mine" });
    }

    [Fact]
    public async Task What_changes_nothing_is_not_said_and_what_is_refused_neither()
    {
        var rig = await BegunAsync();
        Assert.True(await rig.PassAsync(rig.Changes.ChangeAsync(config => config)));
        Assert.True(await rig.PassAsync(rig.Changes.ChangeAsync(config => config with { Exchange = config.Exchange })));
        Assert.False(await rig.PassAsync(rig.Changes.ChangeAsync(_ => null)));
        Assert.Empty(rig.Said);
    }

    [Fact]
    public async Task A_group_that_is_not_heard_is_not_changed()
    {
        var rig = await BegunAsync();
        rig.ConfigVersion = null;
        await RefusedAsync(rig, "does not hear its group", config => config with { Exchange = "e" });
        Assert.Empty(rig.Said);
    }

    [Fact]
    public async Task A_store_that_fails_refuses_the_change()
    {
        var rig = await BegunAsync();
        rig.Store.Fault = "NOPERM no permissions to access a key";
        await RefusedAsync(rig, "NOPERM", config => config with { Exchange = "e" });
        Assert.Empty(rig.Said);
    }

    [Fact]
    public async Task A_change_that_does_not_come_back_is_an_error_that_says_that_it_is_kept()
    {
        var rig = await BegunAsync();
        rig.ComesBack = false;
        await RefusedAsync(rig, "kept in Redis, but was not heard", config => config with { Exchange = "e" });
        Assert.NotEqual("e", rig.Current.Value.Exchange);
        Assert.Contains("\"exchange\":\"e\"", rig.Store.Kept, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_classes_are_first_subscribed_to_by_who_delivers_and_the_others_are_waited_for_a_moment()
    {
        var rig = await BegunAsync();
        rig.Peers[0] = Hearing("m-1", EventClass.Expired | EventClass.Evicted);
        rig.Peers.Add(Hearing("x-1", EventClass.Expired | EventClass.Evicted));
        var change = rig.Changes.ChangeAsync(config => config with { Events = EventClass.Hash });
        await rig.UntilAsync(() => rig.Said.Count == 1);
        Assert.Equal(EventClass.Hash, Assert.IsType<GroupMessage.Prepare>(rig.Said[0]).Classes);
        await rig.PassAsync(0.5);
        rig.Peers[0] = Hearing("m-1", EventClass.All);
        await rig.PassAsync(0.2);
        Assert.False(change.IsCompleted); // x-1 does not hear them yet
        Assert.DoesNotContain("hash", rig.Store.Kept!, StringComparison.OrdinalIgnoreCase);
        rig.Peers[1] = Hearing("x-1", EventClass.All);
        Assert.True(await rig.PassAsync(change));
        Assert.Equal(EventClass.Hash, rig.Current.Value.Events);

        // A member that does not follow is not waited for for long, and one without a seat not at all.
        rig.Peers[1] = Hearing("x-1", EventClass.Hash);
        rig.Peers.Add(Hearing("y-1", EventClass.None) with { Reach = null });
        var begun = rig.Time.GetTimestamp();
        Assert.True(await rig.PassAsync(rig.Changes.ChangeAsync(config => config with { Events = EventClass.List })));
        Assert.InRange(rig.Time.GetElapsedTime(begun).TotalSeconds, 1, 2);
    }

    [Fact]
    public async Task If_who_delivers_does_not_hear_the_new_classes_nothing_is_changed()
    {
        var rig = await BegunAsync();
        rig.Peers[0] = Hearing("m-1", EventClass.Expired | EventClass.Evicted);
        var kept = rig.Store.Kept;
        await RefusedAsync(rig, "nothing was changed", config => config with { Events = EventClass.Hash });
        Assert.Equal(kept, rig.Store.Kept);
        Assert.True(rig.Said.Count(static said => said is GroupMessage.Prepare) > 1);
    }

    [Fact]
    public async Task Without_a_secret_the_broker_is_changed_only_by_who_is_alone_and_only_for_itself()
    {
        var rig = await BegunAsync();
        rig.Peers.Add(Hearing("x-1", EventClass.All));
        await RefusedAsync(rig, "--group-secret-file", config => config with { Amqp = config.Amqp with { Host = "other" } });
        rig.Peers.RemoveAt(1);
        Assert.True(await rig.PassAsync(rig.Changes.ChangeAsync(config => config with { Amqp = config.Amqp with { Host = "other", Password = "p" } })));
        Assert.Equal("other", rig.Current.Value.Amqp.Host);
        Assert.DoesNotContain("other", rig.Store.Kept!, StringComparison.Ordinal);
        Assert.True(await rig.PassAsync(rig.Changes.ChangeAsync(_ => rig.Options)));
        Assert.Equal("own", rig.Current.Value.Amqp.Host);
    }

    [Fact]
    public async Task A_configuration_too_large_for_a_message_is_refused()
    {
        var rig = await BegunAsync();
        var masks = KeyMaskSet.Empty.Add(Enumerable.Range(0, 20_000).Select(i => KeyMask.Parse(Encoding.ASCII.GetBytes($"^some-key-{i}:"))));
        await RefusedAsync(rig, "200000", config => config with { Masks = masks });
        Assert.Empty(rig.Said);
    }

    [Fact]
    public async Task The_answer_to_connect_is_that_of_who_delivers()
    {
        var rig = await BegunAsync();
        rig.Connected = new ConnectResult(4, "login refused");
        Assert.Equal(rig.Connected, await rig.PassAsync(rig.Answers.AskAsync(TestContext.Current.CancellationToken)));

        rig.IsHolder = false;
        var asking = rig.Answers.AskAsync(TestContext.Current.CancellationToken);
        await rig.UntilAsync(() => rig.Said[^1] is GroupMessage.Ask);
        rig.Hear(new GroupMessage.Answer("x-1", 70, new MessageId("y-1", 5), 0, "for somebody else"));
        rig.Hear(new GroupMessage.Answer("x-1", 71, rig.Said[^1].Id, 6, "already connected"));
        Assert.Equal(new ConnectResult(6, "already connected"), await rig.PassAsync(asking));

        Assert.Equal(3, (await rig.PassAsync(rig.Answers.AskAsync(TestContext.Current.CancellationToken))).Code); // nobody answers
    }

    private static Peer Hearing(string name, EventClass classes) => new(name, 0, 0, default(StreamPlace), true, classes);

    private static async Task<AgreementRig> BegunAsync()
    {
        var rig = new AgreementRig(Options);
        await rig.BeginAsync();
        return rig;
    }

    private static async Task RefusedAsync(AgreementRig rig, string why, Func<ForwarderConfig, ForwarderConfig?> change)
    {
        var refused = await Assert.ThrowsAsync<GroupRefusedException>(() => rig.PassAsync(rig.Changes.ChangeAsync(change)));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }
}

using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>How does the link to the broker come and go, and what do the commands connect and disconnect answer?</summary>
public sealed class DeliveryConnectTests
{
    [Fact]
    public async Task A_broker_that_is_away_is_said_at_once_and_then_at_times_with_the_number_of_failures_and_another_reason_at_once()
    {
        var log = new RecordingLogger();
        var rig = new DeliveryRig(logger: log);
        rig.Broker.IsReachable = false;
        rig.Give(1);
        for (var i = 0; i < 99; i++) await rig.AdvanceAsync(0.1);

        Assert.True(rig.Broker.Attempts > 4);
        List<string> Said() => [.. log.Lines.Where(line => line.StartsWith("Warning 2101 ", StringComparison.Ordinal))];
        Assert.Contains("(1 failures so far)", Assert.Single(Said()), StringComparison.Ordinal);
        await rig.AdvanceAsync(20);
        Assert.Contains($"({rig.Broker.Attempts} failures so far)", Said()[1], StringComparison.Ordinal);

        rig.Broker.Reason = "another reason";
        await rig.AdvanceAsync(11);
        Assert.Contains("another reason", Said()[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_does_not_wait_for_the_end_of_a_pause()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Give(1);
        for (var i = 0; i < 20; i++) await rig.AdvanceAsync(2);

        rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        var attempts = rig.Broker.Attempts;
        rig.Broker.IsReachable = true;
        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(attempts + 1, rig.Broker.Attempts);
        Assert.Equal(0, (await connect).Code);
    }

    [Fact]
    public async Task After_disconnect_events_are_neither_sent_nor_stored()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.ConfirmUpTo(1);
        var disconnect = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        Assert.True(await disconnect);
        rig.Give(5);
        await rig.AdvanceAsync(60);
        Assert.Empty(rig.Store.Entries);
        Assert.Equal(5, rig.Ledger.Snapshot().Dropped[(int)DropReason.Disconnected]);

        var again = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        Assert.False(await again);

        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(0, (await connect).Code);
        rig.Give(1);
        await rig.DrainAsync();
        Assert.Equal(["k0", "k6"], rig.QueuedKeys);
    }

    [Theory]
    [InlineData(false, true, 0)]
    [InlineData(true, false, 4)]
    public async Task Connect_with_new_parameters_gets_the_outcome_of_an_attempt_with_these_and_not_of_an_older_one(bool oldReachable, bool newReachable, int expected)
    {
        var rig = await ConnectingAsync(oldReachable);
        rig.Broker.IsReachable = newReachable;
        rig.Config = rig.Config with { Amqp = rig.Config.Amqp with { User = "other" } };
        rig.Loop.ConfigChanged();
        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(expected, (await connect).Code);
    }

    [Fact]
    public async Task Connect_whose_parameters_another_command_changes_meanwhile_says_so()
    {
        var rig = await ConnectingAsync(isReachable: false);
        var connect = rig.Loop.ConnectAsync();
        rig.Config = rig.Config with { Amqp = rig.Config.Amqp with { User = "other" } };
        rig.Loop.ConfigChanged();
        rig.Broker.IsReachable = true;
        var another = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(3, (await connect).Code);
        Assert.Contains("another command has changed the connection", (await connect).Reason, StringComparison.Ordinal);
        Assert.Equal(0, (await another).Code);
    }

    [Fact]
    public async Task Connect_that_waits_while_disconnect_comes_says_so()
    {
        var rig = await ConnectingAsync(isReachable: false);
        var connect = rig.Loop.ConnectAsync();
        var disconnect = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        Assert.True(await disconnect);
        Assert.Equal(new ConnectResult(3, "disconnected meanwhile"), await connect);
    }

    [Fact]
    public async Task Connect_does_nothing_if_another_command_has_disconnected_before_it_is_read()
    {
        var rig = new DeliveryRig();
        await rig.SettleAsync();
        var disconnect = rig.Loop.DisconnectAsync();
        await rig.SettleAsync();
        await disconnect;
        rig.Config = rig.Config with { IsStopped = true };
        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(new ConnectResult(3, "another command has disconnected meanwhile"), await connect);
        Assert.Equal(DeliveryState.Stopped, rig.Loop.State);
    }

    [Fact]
    public async Task Connect_that_waits_when_the_program_ends_is_answered()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsSilent = true;
        var connect = rig.Loop.ConnectAsync();
        var end = rig.Loop.StopAsync(TimeSpan.FromSeconds(4), Task.CompletedTask);
        await Eventually.TrueAsync("the end of the loop", async () =>
        {
            await rig.Loop.StepAsync();
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            return rig.Loop.HasEnded;
        });
        Assert.Equal(new ConnectResult(3, "the program ends"), await connect.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken));
        await end;
    }

    [Fact]
    public async Task A_change_that_does_not_concern_the_link_leaves_a_running_attempt_alone()
    {
        var rig = await ConnectingAsync(isReachable: true);
        rig.Config = rig.Config with { Events = EventClass.String };
        rig.Loop.ConfigChanged();
        await rig.SettleAsync();
        Assert.Equal(1, rig.Broker.Attempts);
        Assert.True(rig.Loop.Links.IsUsable);
    }

    [Fact]
    public async Task Connecting_twice_says_so()
    {
        var rig = new DeliveryRig();
        var first = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        var second = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal((0, 6), ((await first).Code, (await second).Code));
    }

    [Fact]
    public async Task A_failed_connect_tells_its_number_and_goes_on_trying()
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        var connect = rig.Loop.ConnectAsync();
        await rig.SettleAsync();
        Assert.Equal(2, (await connect).Code);
        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(11);
        Assert.True(rig.Loop.Links.IsUsable);
    }

    [Theory]
    [InlineData(true, 0.1)]
    [InlineData(false, 4.9)]
    public async Task A_lost_link_is_opened_anew_soon_if_a_message_was_confirmed_on_it_whatever_came_before(bool isConfirmed, double seconds)
    {
        var rig = new DeliveryRig();
        rig.Broker.IsReachable = false;
        rig.Give(1);
        for (var i = 0; i < 20; i++) await rig.AdvanceAsync(10); // by now the pauses are 5 to 10 s long

        rig.Broker.IsReachable = true;
        await rig.AdvanceAsync(10);
        if (isConfirmed) rig.Broker.Current!.ConfirmUpTo(1);
        await rig.SettleAsync();
        var before = rig.Broker.Attempts;
        rig.Broker.Current!.Break(0);
        await rig.SettleAsync();
        await rig.AdvanceAsync(seconds);
        Assert.Equal(isConfirmed ? before + 1 : before, rig.Broker.Attempts);
    }

    [Fact]
    public async Task Changed_connection_parameters_lead_to_a_new_link()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        var old = rig.Broker.Current!;
        rig.Config = rig.Config with { Amqp = rig.Config.Amqp with { User = "other" } };
        rig.Loop.ConfigChanged();
        await rig.SettleAsync();
        old.ConfirmUpTo(1);
        await rig.SettleAsync();
        Assert.True(old.IsClosed);
        Assert.NotSame(old, rig.Broker.Current);
        Assert.Equal(1, rig.Ledger.Snapshot().Confirmed);
    }

    [Fact]
    public async Task Events_wait_a_second_for_the_link_with_new_parameters_before_they_are_stored()
    {
        var rig = new DeliveryRig();
        rig.Give(1);
        await rig.SettleAsync();
        rig.Broker.Current!.ConfirmUpTo(1);
        await rig.AdvanceAsync(60);
        rig.Broker.IsSilent = true;
        rig.Config = rig.Config with { Amqp = rig.Config.Amqp with { User = "other" } };
        rig.Loop.ConfigChanged();
        await StepAsync();
        rig.Give(1);
        Assert.Equal(0, await StoredAfterAsync(0.9));
        Assert.Equal(1, await StoredAfterAsync(0.2));

        async Task<int> StoredAfterAsync(double seconds)
        {
            await StepAsync();
            rig.Time.Advance(TimeSpan.FromSeconds(seconds));
            await StepAsync();
            await rig.Loop.Stores.Running;
            await StepAsync();
            return rig.Store.Entries.Count;
        }

        async Task StepAsync()
        {
            while (await rig.Loop.StepAsync())
            {
            }
        }
    }

    /// <summary>Returns a rig whose attempt to connect has begun. Its outcome is not known to the loop yet.</summary>
    private static async Task<DeliveryRig> ConnectingAsync(bool isReachable)
    {
        var rig = new DeliveryRig();
        rig.Broker.FailWith = LinkFailureKind.Authentication;
        rig.Broker.IsReachable = isReachable;
        rig.Give(1);
        await Eventually.TrueAsync("an attempt to begin", async () =>
        {
            await rig.Loop.StepAsync();
            return rig.Loop.Links.IsConnecting;
        });
        return rig;
    }
}

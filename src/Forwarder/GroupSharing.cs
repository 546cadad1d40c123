using System.Text;
using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Intake;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Membership;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder;

/// <summary>Which parts does a program have as a member of its group? Made and run by <see cref="ForwarderEngine"/>.</summary>
internal sealed class GroupSharing
{
    /// <summary>How long the feeds wait at the start for what Redis keeps of the group's configuration.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(1);

    private readonly CurrentConfig _current;
    private readonly ForwarderConfig _initial;
    private readonly DeliveryLoop _delivery;
    private readonly ConfigOutlet _outlet;
    private readonly ConfigInForce _inForce;
    private readonly ConfigChange _changes;
    private readonly HolderAnswers _answers;
    private readonly ConfigAgreement _agreement;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();

    /// <param name="feeds">Null while there are none yet.</param>
    public GroupSharing(
        ForwarderOptions options, CurrentConfig current, UpstreamDatabase database, DeliveryLoop delivery, GroupDuties duties, Func<FeedSet?> feeds, BackgroundTasks background, TimeProvider time, ILogger logger)
    {
        (_current, _initial, _delivery, _time) = (current, options.Initial, delivery, time);
        var voice = new LateVoice(feeds);
        var seal = new MessageSeal(options.GroupSecret is { } secret ? Encoding.UTF8.GetBytes(secret.Value) : null);
        var store = options.ConfigKey is { } kept ? StoreOf(kept, options, database, () => feeds()?.IsInCluster == true) : null;
        _outlet = new ConfigOutlet(current, classes => feeds()?.Want(classes), delivery, time);
        _inForce = new ConfigInForce(options.Initial, options.Instance, options.GroupSecret is { } key ? new SecretBox(key, options.GroupName) : null, seal, _outlet, ConfigFaults.Of, logger);
        var preparation = new ClassPreparation(voice, _inForce, time);
        _changes = new ConfigChange(_inForce, store, voice, preparation, time);
        _answers = new HolderAnswers(voice, delivery.ConnectAsync, time, background);
        _agreement = new ConfigAgreement(_inForce, store, voice, preparation, _changes, _answers, _outlet, time, logger);
        Membership = new GroupMembership(new GroupEnvelope(options.GroupName, seal), duties.OfStream, _agreement);
    }

    public GroupMembership Membership { get; }

    public IForwarderControl ControlWith(InfoReport report) => new GroupControl(_current, _initial, _changes, () => _inForce.Value.Version, _answers, _delivery, report);

    /// <param name="startFeeds">Called once it is known what they are to subscribe to.</param>
    /// <returns>Completes behind <see cref="Stop"/>. Faults if a loop ends because of a bug.</returns>
    public Task Start(Action startFeeds) => Task.Run(() => RunAsync(startFeeds, _stop.Token));

    public void Stop() => _stop.Cancel();

    private static RedisConfigStore StoreOf(string key, ForwarderOptions options, UpstreamDatabase database, Func<bool> isInCluster)
    {
        if (options.Upstream.Shape == UpstreamShape.Cluster)
        {
            return new RedisConfigStore(() => database.OfSlotAsync(SlotTag.SlotOfKey(Encoding.UTF8.GetBytes(key))), key);
        }

        var moved = new MovedKey(options.Upstream, database, isInCluster);
        return new RedisConfigStore(moved.PlaceAsync, key, moved);
    }

    private async Task RunAsync(Action startFeeds, CancellationToken stop)
    {
        var loading = _agreement.LoadAsync();
        await Task.WhenAny(loading, Task.Delay(FirstLook, _time, stop)).ConfigureAwait(false);
        if (stop.IsCancellationRequested) return;

        var outlet = _outlet.RunAsync(stop); // tells the feeds at once what is wanted
        startFeeds();
        await loading.ConfigureAwait(false);
        await Task.WhenAll(outlet, _agreement.RunAsync(stop)).ConfigureAwait(false);
    }

    /// <summary>The feeds are made last, since they need all the other parts.</summary>
    private sealed class LateVoice(Func<FeedSet?> feeds) : IGroupVoice
    {
        public IReadOnlyList<StreamGroupStatus> Streams => feeds()?.Streams ?? [];

        public bool IsHeldBack => feeds()?.IsHeldBack == true;

        public IReadOnlyList<MessageId> Say(Func<string, long, GroupMessage> message) => feeds()?.Say(message) ?? [];

        public IReadOnlyList<MessageId> SayToMasters(Func<string, long, GroupMessage> message) => feeds()?.SayToMasters(message) ?? [];

        public Task WaitSubscribedAsync(CancellationToken cancellationToken) => feeds()?.WaitSubscribedAsync(cancellationToken) ?? Task.CompletedTask;
    }
}

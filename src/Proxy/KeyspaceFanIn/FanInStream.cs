using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// The notifications of the other masters for one client: which names is it subscribed to, and over which connections do they come? Messages of the client's
/// own node pass through its session. For each other master there is one connection that is subscribed to the same names. If the own node is a replica, none of
/// its messages for these names are let through: it says <c>del</c> where its master says <c>expired</c>. Its master is then heard like any other.
/// <para>
/// The reply pump adds names, at the place of the own node's confirmation. The request pump drops them. Owns the connections.
/// </para>
/// </summary>
/// <param name="own">The node that the session is connected to.</param>
/// <param name="wake">See <see cref="NotificationInbox"/>.</param>
/// <param name="overflow">Ends the session, because its client does not read.</param>
internal sealed class FanInStream(FanInHub services, TransportAddress own, Action wake, Action overflow) : IAsyncDisposable
{
    /// <summary>How long a confirmation waits until all masters are heard. If all of them can be reached, that takes milliseconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();

    /// <summary>
    /// One connection for each other master, by the node's id. Guarded by the gate, as are <see cref="_closing"/>, <see cref="_following"/> and
    /// <see cref="_isEnded"/>.
    /// </summary>
    private readonly Dictionary<string, MasterLink> _links = [];

    /// <summary>Connections that were given up and have not ended yet.</summary>
    private readonly List<MasterLink> _closing = [];

    /// <summary>Written within the gate; read by any thread: a volatile reference to an immutable set.</summary>
    private volatile FanInNameSet _names = FanInNameSet.None;
    private readonly ChangeSignal _progress = new();

    /// <summary>The own node is a replica. Written within the gate; read by the reply pump.</summary>
    private volatile bool _ownIsReplica;
    private Task? _following;
    private bool _isEnded;

    public NotificationInbox Inbox { get; } = new(wake);

    /// <summary>Called when a connection has met a bug in the program: ends the session.</summary>
    public Action Fault { get; init; } = static () => { };

    public FanInNameSet Names => _names;

    public bool IsActive => !_names.IsEmpty;

    /// <summary>Messages of the session's own node for these names are not passed to the client.</summary>
    public bool LeavesOwnOut => _ownIsReplica && IsActive;

    /// <summary>
    /// Adds names. Returns when all masters are heard for them, or after <see cref="Patience"/>; the subscriptions then go on in the background.
    /// </summary>
    public async ValueTask AddAsync(IReadOnlyCollection<FanInName> names, CancellationToken cancellationToken)
    {
        FanInNameSet wanted;
        lock (_gate)
        {
            if (_isEnded) return;
            if (!IsActive) services.CountSubscribers(1);
            wanted = _names = _names.With(names);
            _following ??= FollowAsync();
        }

        Reconcile();
        await InForceAsync(wanted.Version, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Drops names. No message for them is delivered from here on.</summary>
    public void Drop(Func<string, FanInName, bool> isToBeDropped)
    {
        lock (_gate)
        {
            if (!IsActive) return;
            _names = _names.Without(isToBeDropped);
            if (!IsActive) services.CountSubscribers(-1);
        }

        Reconcile();
    }

    public void DropAll() => Drop(static (_, _) => true);

    /// <summary>Drops all names, because it cannot be known any more which messages the client wants, or in which protocol.</summary>
    public void GiveUp(string why)
    {
        if (IsActive) services.WarnOfGivingUp(why);
        DropAll();
    }

    /// <summary>Called by a connection that has received a message.</summary>
    public void Deliver(in PubSubFrame message, ReadOnlySpan<byte> frame)
    {
        if (_names.Find(message.IsPattern, message.Name) is { } name && !Inbox.TryAdd(name, frame.ToArray())) overflow();
    }

    /// <summary>Called by a connection that has more names in force than before.</summary>
    public void Progress() => _progress.Signal();

    /// <summary>Called by the session when its replies have ended. May be called more than once.</summary>
    public async ValueTask DisposeAsync()
    {
        Inbox.Close();
        DropAll();
        Task? following;
        List<MasterLink> closing;
        lock (_gate)
        {
            if (_isEnded) return;
            _isEnded = true;
            (following, closing) = (_following, [.. _closing]);
        }

        await _end.CancelAsync().ConfigureAwait(false);
        if (following is not null) await following.ConfigureAwait(false);
        foreach (var link in closing) await link.Ended.ConfigureAwait(false);
        _end.Dispose();
    }

    /// <summary>Follows the topology until the session ends.</summary>
    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                var changed = services.Topology.Changed; // before the look, so that no change is missed
                Reconcile();
                Progress();
                await changed.WaitAsync(_end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // the session has ended
        }
    }

    /// <summary>Makes the connections fit: one for each master except the own node, subscribed to exactly the current names.</summary>
    private void Reconcile()
    {
        List<MasterLink> over = [];
        lock (_gate)
        {
            var now = services.Topology.Current;
            _ownIsReplica = now.Nodes.FirstOrDefault(IsOwn)?.Role == NodeRole.Replica;
            var wanted = IsActive ? now.Masters.Where(node => !IsOwn(node)).ToList() : [];
            over.AddRange(_links.Values.Where(link => !wanted.Exists(node => node.Id == link.Node.Id && node.Address == link.Node.Address)));
            foreach (var link in over) _links.Remove(link.Node.Id);
            foreach (var node in wanted.Where(node => !_links.ContainsKey(node.Id)))
            {
                _links.Add(node.Id, MasterLink.Start(node, this, services));
            }

            _closing.RemoveAll(link => link.Ended.IsCompleted);
            _closing.AddRange(over);
        }

        foreach (var link in over) link.Close(); // outside of the gate, since closing a connection runs other code
        foreach (var link in Links()) link.Wake();
    }

    private bool IsOwn(TopologyNode node) => TransportAddress.Of(node.Address) == own;

    /// <summary>Waits until all masters are heard for this version of the names, at most for <see cref="Patience"/>.</summary>
    private async ValueTask InForceAsync(long version, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Patience, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        List<MasterLink> missing = [];
        try
        {
            while (true)
            {
                var progress = _progress.Next; // before the look, so that no progress is missed
                missing = Links().FindAll(link => link.InForce < version && !link.Node.IsFailing);
                if (missing.Count == 0) return;
                await progress.WaitAsync(either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                services.WarnOfMissing(string.Join(' ', missing.Select(link => link.Node.Address)));
            }
        }
    }

    private List<MasterLink> Links()
    {
        lock (_gate) return [.. _links.Values];
    }
}

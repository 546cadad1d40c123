using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// The notifications of the other masters for one client: which names, over which connections? What a client's own node says passes through its session; for each other master there is one
/// connection that is subscribed to the same names. Of a replica nothing of them is let through: it says <c>del</c> where its master says <c>expired</c>, so that its master is listened to
/// like any other.
/// <para>
/// Names are added by the reply pump, at the place of the node's own confirmation, and dropped by the request pump. Owns the connections.
/// </para>
/// </summary>
/// <param name="own">The node that the session is connected to.</param>
/// <param name="wake">See <see cref="NotificationInbox"/>.</param>
/// <param name="overflow">The client does not read: ends its session.</param>
internal sealed class FanInStream(FanInHub services, TransportAddress own, Action wake, Action overflow) : IAsyncDisposable
{
    /// <summary>How long a confirmation waits until all masters are heard. It takes milliseconds, where they are all there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Dictionary<string, MasterLink> _links = [];

    /// <summary>Of links that were given up.</summary>
    private readonly List<MasterLink> _closing = [];
    private volatile FanInNameSet _names = FanInNameSet.None;
    private readonly ChangeSignal _progress = new();
    private volatile bool _ownIsReplica;
    private Task? _following;
    private bool _isEnded;

    public NotificationInbox Inbox { get; } = new(wake);

    /// <summary>A link has met a fault of the program: ends the session.</summary>
    public Action Fault { get; init; } = static () => { };

    public FanInNameSet Names => _names;

    public bool IsActive => !_names.IsEmpty;

    /// <summary>What the session's own node sends for these names is not for the client.</summary>
    public bool LeavesOwnOut => _ownIsReplica && IsActive;

    /// <summary>Returns when all masters are heard for these names, or after a while without that: it goes on then by itself.</summary>
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

    /// <summary>At once: nothing of these is delivered any more.</summary>
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

    /// <summary>The client may want to hear more, but what it is to be sent, or how, cannot be known any more.</summary>
    public void GiveUp(string why)
    {
        if (IsActive) services.WarnOfGivingUp(why);
        DropAll();
    }

    /// <summary>A link has received a message.</summary>
    public void Deliver(in PubSubFrame message, ReadOnlySpan<byte> frame)
    {
        if (_names.Find(message.IsPattern, message.Name) is { } name && !Inbox.TryAdd(name, frame.ToArray())) overflow();
    }

    /// <summary>A link has come further.</summary>
    public void Progress() => _progress.Signal();

    /// <summary>Idempotent; by the session, when its replies have ended.</summary>
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

    /// <summary>Follows the nodes until the end.</summary>
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

    /// <summary>One link for each master but the own node, subscribed to the names as they are now, and no others.</summary>
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

        foreach (var link in over) link.Close(); // outside of the lock: the ends of connections run in it
        foreach (var link in Links()) link.Wake();
    }

    private bool IsOwn(TopologyNode node) => TransportAddress.Of(node.Address) == own;

    private async ValueTask InForceAsync(long version, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Patience, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        List<MasterLink> missing = [];
        try
        {
            while (true)
            {
                var progress = _progress.Next; // before the look, so that none is missed
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

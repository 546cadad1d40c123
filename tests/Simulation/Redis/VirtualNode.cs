using System.Globalization;
using KeyEvt.Simulation.Clock;
using KeyEvt.Simulation.Net;

namespace KeyEvt.Simulation.Redis;

/// <summary>A Redis server in memory: it handles one command after the other, and sends the same stream to all subscribers.</summary>
internal sealed class VirtualNode : IVirtualServer
{
    private readonly VirtualTime _time;
    private readonly Random _random;
    private readonly NodeCommands _commands;
    private readonly List<NodeClient> _clients = [];
    private readonly Queue<Action> _waiting = new();
    private NodeData _saved = new();
    private long _dirtySince = -1;
    private int _lives;

    public VirtualNode(string name, VirtualTime time, Random random)
    {
        (Name, _time, _random) = (name, time, random);
        _commands = new NodeCommands(this);
    }

    public string Name { get; }

    public string RunId { get; private set; } = "";

    public NodeData Data { get; private set; } = new();

    public NodePersistence Persistence { get; init; } = NodePersistence.All;

    /// <summary>Whether the answer to a PUBLISH comes before its message. Versions differ.</summary>
    public bool AnswersFirst { get; init; }

    /// <summary>A connection to which more bytes wait to be sent is closed.</summary>
    public long OutputLimit { get; init; } = 1024 * 1024;

    /// <summary>Flags that it has when it starts.</summary>
    public string ConfiguredFlags { get; init; } = "";

    public NotifySetting Flags { get; private set; } = new("");

    public bool IsUp { get; private set; }

    /// <summary>When it started last.</summary>
    public long UpSince { get; private set; }

    public bool IsLoading { get; private set; }

    public NodeMood Mood { get; private set; }

    /// <summary>The node that it replicates; null: it is a master.</summary>
    public VirtualNode? Master { get; private set; }

    /// <summary>The wires to its replicas.</summary>
    public List<(VirtualNode Replica, Wire Wire)> Replicas { get; } = [];

    /// <summary>Commands that its users may not give.</summary>
    public HashSet<string> Refused { get; } = [];

    public long ConfigSets { get; set; }

    public long ConfigGets { get; set; }

    public Action<string> Tell { get; init; } = static _ => { };

    /// <summary>Called when data are lost by a restart, with what is lost.</summary>
    public Action<NodeData> Lost { get; set; } = static _ => { };

    /// <summary>Called when a program has subscribed to a pattern.</summary>
    public Action<VirtualNode, string> Subscribed { get; set; } = static (_, _) => { };

    /// <summary>Called for each message that is published, in its place in the stream.</summary>
    public Action<string> Published { get; set; } = static _ => { };

    public IReadOnlyList<NodeClient> Clients => _clients;

    /// <param name="owner">The program that has opened it.</param>
    public void Accept(VirtualConnection connection, string owner)
    {
        var client = new NodeClient(connection, owner);
        _clients.Add(client);
        connection.Received = bytes => Handle(() =>
        {
            foreach (var command in client.Requests.Read(bytes))
            {
                if (!client.IsClosed) _commands.Answer(client, command);
            }
        });
        connection.Left = () => Forget(client);
    }

    /// <summary>Does something in its turn, as soon as the node handles commands.</summary>
    public void Handle(Action step)
    {
        if (!IsUp) return;

        _waiting.Enqueue(step);
        HandleWaiting();
    }

    /// <summary>A client writes a key. Its events go to all subscribers at this place of the stream.</summary>
    public void Write(string key, string eventName, char letter)
    {
        Data.Written.Add(key);
        Changed();
        Notify(letter, eventName, key);
        Replicate(replica => replica.Apply(() => replica.Write(key, eventName, letter)));
    }

    public void SetString(string key, string value)
    {
        Data.Strings[key] = value;
        Changed();
        Notify('$', "set", key);
        Replicate(replica => replica.Apply(() => replica.SetString(key, value)));
    }

    /// <summary>Changes a list, and says so.</summary>
    public void ChangeList(string key, string eventName, Action<List<byte[]>> change)
    {
        change(Data.List(key));
        Changed();
        Notify('l', eventName, key);
        Replicate(replica => replica.Apply(() => replica.ChangeList(key, eventName, change)));
    }

    /// <returns>How many have got it.</returns>
    public int Publish(string channel, string message)
    {
        Published(message);
        var count = 0;
        foreach (var client in _clients)
        {
            if (!client.Channels.Contains(channel)) continue;

            client.Push("message", channel, message);
            count++;
        }

        Replicate(replica => replica.Apply(() => replica.Publish(channel, message)));
        return count;
    }

    public void SetFlags(string letters)
    {
        Flags = new NotifySetting(letters);
        ConfigSets++;
    }

    public void SetMood(NodeMood mood)
    {
        Mood = mood;
        HandleWaiting();
    }

    /// <summary>It dies: connections end, and what is to be handled is not.</summary>
    public void Kill()
    {
        IsUp = false;
        _waiting.Clear();
        foreach (var client in _clients.ToList()) Close(client, isReset: _random.Next(2) == 0);
    }

    /// <summary>Its first start.</summary>
    public void Begin() => BeginLife();

    /// <summary>It starts again.</summary>
    public void Start()
    {
        if (Master is not null)
        {
            BeginLife();
            Resync();
            return;
        }

        var all = Data;
        if (Persistence == NodePersistence.None) Data = new NodeData();
        else if (Persistence == NodePersistence.AllButTheLastSecond && _dirtySince >= 0) Data = _saved.Copy();
        BeginLife();
        foreach (var (replica, _) in Replicas) replica.Resync();
        if (!ReferenceEquals(all, Data)) Lost(all); // its replicas have lost them too by now
        if (Persistence == NodePersistence.None || Data.Written.Count == 0) return;

        IsLoading = true;
        var replay = _random.Next(5, 400);
        foreach (var (index, key) in Data.Written.TakeLast(5).Index())
        {
            _time.After(TimeSpan.FromMilliseconds(replay * (index + 1) / 6.0), () => Replay(key));
        }

        _time.After(TimeSpan.FromMilliseconds(replay), () => IsLoading = false);
    }

    /// <summary>It becomes a replica of another node, or a master.</summary>
    public void Follow(VirtualNode? master)
    {
        Master = master;
        Resync();
    }

    /// <summary>A replica gets all data of its master.</summary>
    private void Resync()
    {
        if (Master is { IsUp: true } master) Data = master.Data.Copy();
    }

    /// <summary>A program has died, and the system closes its connections. What it had sent before still arrives.</summary>
    public void Abandon(string owner)
    {
        foreach (var client in _clients.Where(client => client.Owner == owner)) client.Connection.Dispose();
    }

    public void Close(NodeClient client, bool isReset)
    {
        if (!_clients.Remove(client)) return;

        client.IsClosed = true;
        client.Connection.Close(isReset);
    }

    private void BeginLife()
    {
        RunId = string.Create(CultureInfo.InvariantCulture, $"{_random.NextInt64():x16}{++_lives:x8}{new string('e', 16)}");
        (IsUp, Mood, ConfigSets, ConfigGets, _dirtySince) = (true, NodeMood.Well, 0, 0, -1);
        UpSince = _time.Now;
        Flags = new NotifySetting(ConfiguredFlags);
    }

    private void HandleWaiting()
    {
        while (IsUp && Mood != NodeMood.Frozen && _waiting.TryDequeue(out var step)) step();
        foreach (var client in _clients.ToList())
        {
            if (client.HasUnsent) client.Flush();
            if (client.IsSubscriber && client.Connection.Unread > OutputLimit)
            {
                Tell($"{Name} closes a subscriber whose output buffer is full");
                Close(client, isReset: true);
            }
        }
    }

    private void Forget(NodeClient client)
    {
        client.IsClosed = true;
        _clients.Remove(client);
    }

    private void Notify(char letter, string eventName, string key)
    {
        if (!Flags.Sends(letter)) return;

        var channel = "__keyevent@0__:" + eventName;
        foreach (var client in _clients)
        {
            foreach (var pattern in client.Patterns)
            {
                if (pattern == "__keyevent@*__:*" || pattern == "__keyevent@*__:" + eventName)
                {
                    client.Push("pmessage", pattern, channel, key);
                }
            }
        }
    }

    private void Apply(Action change) => Handle(change);

    private void Replicate(Action<VirtualNode> apply)
    {
        foreach (var (replica, wire) in Replicas) wire.Put(() => apply(replica));
    }

    private void Replay(string key)
    {
        if (!IsLoading) return;

        Notify('$', "set", key);
        HandleWaiting();
    }

    /// <summary>What is changed now is on disk a second later.</summary>
    private void Changed()
    {
        if (Persistence != NodePersistence.AllButTheLastSecond || _dirtySince >= 0) return;

        _dirtySince = _time.Now;
        var life = _lives;
        _time.After(TimeSpan.FromSeconds(1), () =>
        {
            if (life != _lives || !IsUp) return;

            (_saved, _dirtySince) = (Data.Copy(), -1);
        });
    }
}

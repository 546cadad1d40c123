// How does a test get a broker that does what the real one will not do on demand?
using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Servers;

/// <summary>
/// A broker for publishers only: speaks AMQP 0-9-1 as far as a publisher with confirms needs it, keeps every message, and answers as its script says:
/// confirms late, never, out of order or for many; refuses, returns, closes, blocks, falls silent, sends garbage.
/// </summary>
public sealed class ScriptedBroker : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _lock = new();
    private readonly List<PublishedMessage> _published = [];
    private readonly List<ScriptedConnection> _connections = [];
    private readonly List<string> _faults = [];
    private readonly List<(string User, string Password)> _logins = [];
    private readonly List<Task> _running = [];

    private ScriptedBroker(BrokerScript script)
    {
        Script = script;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _listener.Listen(128);
        _running.Add(AcceptAsync());
    }

    public int Port { get; }

    public BrokerScript Script { get; set; }

    /// <summary>Every message, in the order of its end.</summary>
    public IReadOnlyList<PublishedMessage> Published
    {
        get
        {
            lock (_lock) return [.. _published];
        }
    }

    public int PublishedCount
    {
        get
        {
            lock (_lock) return _published.Count;
        }
    }

    /// <summary>Those accepted so far, closed ones included, the oldest first.</summary>
    public IReadOnlyList<ScriptedConnection> Connections
    {
        get
        {
            lock (_lock) return [.. _connections];
        }
    }

    /// <summary>As whom it logged in, and with which password; every login, in order.</summary>
    public IReadOnlyList<(string User, string Password)> Logins
    {
        get
        {
            lock (_lock) return [.. _logins];
        }
    }

    /// <summary>What the program did against the protocol or against what was agreed in tune.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_lock) return [.. _faults];
        }
    }

    public static ScriptedBroker Start(BrokerScript? script = null) => new(script ?? new BrokerScript());

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        Task[] running;
        lock (_lock) running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
        _ending.Dispose();
    }

    internal void Keep(PublishedMessage message)
    {
        lock (_lock) _published.Add(message);
    }

    internal void LoggedIn(string user, string password)
    {
        lock (_lock) _logins.Add((user, password));
    }

    internal void Fault(string fault)
    {
        lock (_lock) _faults.Add(fault);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) Serve(await _listener.AcceptAsync(_ending.Token).ConfigureAwait(false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Disposed.
        }
    }

    private void Serve(Socket socket)
    {
        lock (_lock)
        {
            var connection = new ScriptedConnection(this, socket, _connections.Count + 1);
            _connections.Add(connection);
            _running.Add(connection.RunAsync(_ending.Token));
        }
    }
}

// What does a server answer to a session, byte for byte?
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

/// <summary>Plays the turns against one port, one turn after the other, and records what each connection gets.</summary>
internal sealed class SessionPlayer : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    /// <summary>So many bytes of a turn are read in pieces of its size; the rest of a large answer at once, or it would take all the time.</summary>
    private const int ReadInPieces = 3000;

    private readonly Socket[] _sockets = new Socket[RandomSession.Connections];
    private readonly List<byte>[] _received = new List<byte>[RandomSession.Connections];
    private readonly byte[] _buffer = new byte[65536];

    private SessionPlayer()
    {
        for (var i = 0; i < _sockets.Length; i++)
        {
            _sockets[i] = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _received[i] = [];
        }
    }

    /// <summary>What each turn added, in order: Latin-1 text.</summary>
    public static async Task<IReadOnlyList<string>> PlayAsync(int port, IReadOnlyList<Turn> turns, Func<Turn, byte[]> bytesOf)
    {
        using var player = new SessionPlayer();
        foreach (var socket in player._sockets) await socket.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);
        var answers = new List<string>();
        foreach (var turn in turns) answers.Add(await player.PlayAsync(turn, bytesOf(turn)).ConfigureAwait(false));
        return answers;
    }

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
    }

    private async Task<string> PlayAsync(Turn turn, byte[] bytes)
    {
        using var limit = new CancellationTokenSource(Deadline);
        var received = _received[turn.Connection];
        received.Clear();
        var socket = _sockets[turn.Connection];
        var sending = SendAsync(socket, bytes, turn, limit.Token);
        var reading = ReadAsync(socket, received, turn, limit.Token);
        try
        {
            await Task.WhenAll(sending, reading).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            received.AddRange(Encoding.Latin1.GetBytes($" ... and nothing more within {Deadline.TotalSeconds} s"));
        }
        return Encoding.Latin1.GetString([.. received]);
    }

    private static async Task SendAsync(Socket socket, byte[] bytes, Turn turn, CancellationToken cancellationToken)
    {
        var random = new Random(turn.Cut.Seed);
        var rest = bytes.AsMemory();
        try
        {
            while (!rest.IsEmpty)
            {
                var wanted = turn.Cut.LargestWrite == int.MaxValue ? rest.Length : Math.Min(rest.Length, random.Next(1, turn.Cut.LargestWrite + 1));
                rest = rest[await socket.SendAsync(rest[..wanted], cancellationToken).ConfigureAwait(false)..];
                if (random.Next(4) == 0) await Task.Yield();
            }
            if (turn.Marker is null) socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Closed by the other side in the middle of the turn: what was answered counts.
        }
    }

    private async Task ReadAsync(Socket socket, List<byte> received, Turn turn, CancellationToken cancellationToken)
    {
        var marker = turn.Marker is null ? null : Encoding.Latin1.GetBytes(turn.Marker);
        while (marker is null || !EndsWith(received, marker))
        {
            int count;
            try
            {
                count = await socket.ReceiveAsync(_buffer.AsMemory(0, received.Count < ReadInPieces ? turn.Cut.LargestRead : _buffer.Length), cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                return;
            }
            if (count == 0) return;
            received.AddRange(_buffer.AsSpan(0, count));
        }
    }

    private static bool EndsWith(List<byte> bytes, byte[] end)
    {
        if (bytes.Count < end.Length) return false;
        for (var i = 1; i <= end.Length; i++)
        {
            if (bytes[^i] != end[^i]) return false;
        }
        return true;
    }
}

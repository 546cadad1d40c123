using System.Globalization;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>How far had an earlier life of the program come in a node's stream? What is kept in the node itself, under <see cref="CheckpointRegistry"/>'s keys.</summary>
/// <param name="Position">Everything up to here was confirmed, stored, or counted as dropped.</param>
/// <param name="At">By the wall clock; what the node did before this moment is not behind the position.</param>
/// <param name="Writer">Which program has kept it.</param>
internal sealed record Checkpoint(EventPosition Position, DateTimeOffset At, string Writer)
{
    /// <summary>The first word; a later version of the program may keep something else.</summary>
    private const string Version = "1";

    /// <summary><c>1 &lt;position&gt; &lt;milliseconds since 1970&gt; &lt;writer&gt;</c></summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Position} {At.ToUnixTimeMilliseconds()} {Writer}");

    /// <returns>Null: it is not one.</returns>
    public static Checkpoint? Parse(string text) =>
        text.Split(' ') is [Version, var position, var at, var writer] && EventPosition.TryParse(position, out var parsed)
        && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? new Checkpoint(parsed, DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), writer)
            : null;
}

using System.Globalization;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>
/// How far did an earlier run of the program read a node's stream? Stored in the node itself, under the keys of <see cref="CheckpointRegistry"/>.
/// </summary>
/// <param name="Position">Everything up to here was confirmed, stored, or counted as dropped.</param>
/// <param name="At">A wall clock time. Whatever the node did before it is not behind the position.</param>
/// <param name="Writer">The program that wrote it.</param>
/// <param name="HasEnded">Whether the writer ended then, and no other member of its group was there.</param>
internal sealed record Checkpoint(EventPosition Position, DateTimeOffset At, string Writer, bool HasEnded = false)
{
    /// <summary>The first word of the text. A later version of the program may store another form.</summary>
    private const string Version = "1";

    private const string Ended = "ended";

    /// <summary><c>1 &lt;position&gt; &lt;milliseconds since 1970&gt; &lt;writer&gt; [ended]</c></summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Position} {At.ToUnixTimeMilliseconds()} {Writer}{(HasEnded ? " " + Ended : "")}");

    /// <returns>Null if the text is not a checkpoint.</returns>
    public static Checkpoint? Parse(string text) =>
        text.Split(' ') is [Version, var position, var at, var writer, .. [] or [Ended]] words && EventPosition.TryParse(position, out var parsed)
        && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? new Checkpoint(parsed, DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), writer, HasEnded: words.Length > 4)
            : null;
}

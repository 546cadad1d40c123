// Which mutants are to blame for an error of the compiler?
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace KeyEvt.Mutation;

/// <summary>Finds the switches around, in or near an error in a file that <see cref="GuardWriter"/> wrote.</summary>
internal static class GuardFinder
{
    /// <summary>The numbers of the mutants to drop; empty when the file has none.</summary>
    public static IReadOnlyCollection<int> Blame(SyntaxNode root, TextSpan error)
    {
        var node = root.FindNode(error, getInnermostNodeForTie: true);
        if (Inside(node) is { Count: > 0 } inside) return inside;
        foreach (var ancestor in node.Ancestors())
        {
            if (SwitchOf(ancestor) is { } id) return [id];
        }

        // A variable that is perhaps not assigned any more: the error stands far from the change, but in the same member.
        var member = node.AncestorsAndSelf().OfType<MemberDeclarationSyntax>().FirstOrDefault(member => member is not BaseTypeDeclarationSyntax);
        return member is not null && Inside(member) is { Count: > 0 } near ? near : Inside(root);
    }

    private static HashSet<int> Inside(SyntaxNode node) =>
        [.. node.DescendantNodesAndSelf().OfType<InvocationExpressionSyntax>().Select(IdOf).OfType<int>()];

    /// <summary>The number of the switch that this node is; null for other nodes.</summary>
    private static int? SwitchOf(SyntaxNode node) => node switch
    {
        ConditionalExpressionSyntax conditional => IdOf(conditional.Condition),
        IfStatementSyntax statement => IdOf(statement.Condition),
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.ExclusiveOrExpression } negation => IdOf(negation.Left),
        _ => null,
    };

    private static int? IdOf(ExpressionSyntax expression) =>
        expression is InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "MutantSwitch" } } } call
            ? int.Parse(call.ArgumentList.Arguments[0].ToString(), CultureInfo.InvariantCulture)
            : null;
}
